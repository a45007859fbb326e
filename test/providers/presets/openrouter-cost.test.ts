// The cost that OpenRouter reports with a result.
import { Writable } from 'node:stream'
import { describe, expect, it, onTestFinished } from 'vitest'
import { listLines } from '../../../src/db/money/ledger.ts'
import { createLog } from '../../../src/log.ts'
import { dialects } from '../../../src/providers/index.ts'
import { openEngine, type TestEngine } from '../../support/engine.ts'
import { runRequest } from '../call.ts'
import { makeImage } from '../upstreams/make-image.ts'
import { startOpenrouterUpstream } from '../upstreams/openrouter.ts'

const openai = dialects.openai!
const MODEL = { name: 'gpt-image-2', upstreamModel: 'openai/gpt-image-2' }
const PRICED = { ...MODEL, price: { imageMicros: 40_000 } }
const SENT = { upstreamModel: MODEL.upstreamModel }
const PRICE_MICROS = 40_000

async function open(entry: object = {}) {
  const upstream = await startOpenrouterUpstream({ apiKey: 'key' })
  const options = openai.options.parse({
    preset: 'openrouter',
    baseUrl: upstream.url,
    apiKey: 'key',
    models: [PRICED],
    ...entry,
  })
  const provider = openai.create('openrouter', options)
  onTestFinished(async () => {
    await provider.close()
    await upstream.close()
  })
  return { provider, upstream }
}

const b64Image = async () => (await makeImage({ size: '16x16' }, 0)).toString('base64')

/** A reply whose cost has these characters. */
async function replyWith(cost: string, more = '') {
  const image = `{"b64_json":"${await b64Image()}"}`
  const usage = `{"prompt_tokens":21,"completion_tokens":196,"total_tokens":217,"cost":${cost}${more}}`
  return { status: 200, body: `{"created":1,"data":[${image}],"usage":${usage}}` }
}

async function moneyOf(one: TestEngine, taskId: string) {
  const [attempt] = await one.attempts(taskId)
  const lines = await listLines(one.db.read, [attempt!.id])
  const posted = lines.filter(({ kind }) => kind !== 'HOLD')
  return {
    charged: attempt!.charged,
    costMicros: attempt!.costMicros,
    images: attempt!.images,
    lines: posted.map(({ kind, amountMicros, source, priceVersion }) => [
      kind,
      amountMicros,
      source,
      priceVersion,
    ]),
  }
}

describe('the cost that OpenRouter reports', () => {
  it.each([
    ['0.006', 6_000],
    ['0.041160', 41_160],
    ['4.116E-2', 41_160],
    ['0', 0],
    ['0.0000005', 1],
    ['0.00000049', 0],
    // As a binary fraction times a million: 124.49999999999999.
    ['0.0001245', 125],
    ['1000000', 1_000_000_000_000],
    ['1000000.000001', null],
    ['1e999', null],
    ['-0.01', null],
    ['-1e-9', null],
    ['"0.006"', null],
    ['true', null],
    ['[0.006]', null],
    ['null', undefined],
  ])('%s is read as %s micro-USD', async (cost, micros) => {
    const { provider, upstream } = await open()
    upstream.script(await replyWith(cost))
    const { costMicros, imageBytes, usage } = await runRequest(provider)
    expect(costMicros).toBe(micros)
    expect(imageBytes).toHaveLength(1)
    expect(usage.outputTokens).toBe(196)
  })

  it('is not read when it is only the fee on a call with the account’s own key', async () => {
    const { provider, upstream } = await open()
    upstream.script(
      await replyWith('0.0003', ',"is_byok":true'),
      await replyWith('0.006', ',"is_byok":false'),
    )
    expect((await runRequest(provider)).costMicros).toBeUndefined()
    expect((await runRequest(provider)).costMicros).toBe(6_000)
  })

  it('is read from the only finished event of a stream, and not from several', async () => {
    const { provider, upstream } = await open()
    expect((await runRequest(provider, { partialImages: 1, ...SENT })).costMicros).toBe(6_000)
    const b64_json = await b64Image()
    const event = { type: 'image_generation.completed', b64_json, usage: { cost: 0.006 } }
    const body = `data: ${JSON.stringify(event)}\n\n`.repeat(2)
    upstream.script({ status: 200, headers: { 'content-type': 'text/event-stream' }, body })
    const both = await runRequest(provider, { partialImages: 1, n: 2 })
    expect([both.imageBytes.length, both.costMicros]).toEqual([2, undefined])
  })

  it('is not read from other servers of the dialect', async () => {
    const { upstream } = await open()
    const other = openai.create('other', openai.options.parse({ baseUrl: upstream.url, apiKey: 'key' }))
    onTestFinished(() => other.close())
    upstream.script(await replyWith('0.006'))
    expect((await runRequest(other)).costMicros).toBeUndefined()
  })

  it('is posted ahead of the price, and says where it comes from', async () => {
    const { provider, upstream } = await open()
    upstream.script(
      await replyWith('0.0412'),
      await replyWith('-1'),
      await replyWith('"free"'),
      await replyWith('null'),
    )
    const lines: string[] = []
    const sink = new Writable({ write: (chunk, _, next) => (lines.push(String(chunk)), next()) })
    await using one = await openEngine({
      providers: [provider],
      wrap: (deps) => ({ ...deps, log: createLog('warn', sink) }),
    })
    const run = async () => moneyOf(one, (await one.reached((await one.create()).id, 'SUCCEEDED')).id)
    expect(await run()).toEqual({
      charged: 'YES',
      costMicros: 41_200,
      images: 1,
      lines: [['POST', 41_200, 'REPORTED', null]],
    })
    expect(lines).toEqual([])
    for (const _ of ['negative', 'text'])
      expect(await run()).toEqual({ charged: 'YES', costMicros: null, images: 1, lines: [] })
    expect(lines.filter((line) => line.includes('unusable reported cost dropped'))).toHaveLength(2)
    const [offer] = provider.offers
    expect(await run()).toEqual({
      charged: 'YES',
      costMicros: PRICE_MICROS,
      images: 1,
      lines: [['POST', PRICE_MICROS, 'PRICE', offer!.price!.version]],
    })
  })
})
