// A model that this version does not know, described only in the configuration.
import { expect, it, onTestFinished } from 'vitest'
import type { ImageRequest } from '../../src/domain.ts'
import { matchCapabilities } from '../../src/engine/routing/match.ts'
import { worstCaseMicros } from '../../src/engine/usage/cost.ts'
import { expectedMicros } from '../../src/engine/usage/expected-cost.ts'
import { offersFrom } from '../../src/providers/models/offers.ts'
import { dialects } from '../../src/providers/index.ts'
import type { Provider } from '../../src/providers/provider.ts'
import { openCall, requestOf } from '../providers/call.ts'
import { listen } from '../providers/upstreams/listen.ts'
import { plainRequest } from '../support/rows.ts'
import { createServer } from 'node:http'
import { buffer } from 'node:stream/consumers'

const MODEL = {
  name: 'image-of-next-year',
  upstreamModel: 'next/1',
  capabilities: {
    operations: ['GENERATE', 'EDIT'],
    sizes: { kind: 'list', auto: true, values: ['1024x1024', '640x640'] },
    qualities: ['AUTO', 'LOW', 'MAX'],
    complexities: ['LOW', 'HIGH'],
    outputFormats: ['PNG', 'GIF', 'SVG'],
    animation: { minFrames: 4, maxFrames: 64, defaultFrames: 8, frameStepMs: 20, maxFrameMs: 1000 },
    svg: { models: ['author-1'], efforts: ['LOW'] },
    formatRules: {
      GIF: { sizes: { kind: 'list', auto: false, values: ['640x640'] }, mask: false },
      SVG: { maxN: 1 },
    },
    maxN: 4,
    maxInputImages: 2,
    mask: true,
    markup: true,
    safetyIdentifier: true,
    maxPromptLength: 500,
  },
  price: { inputTextMicros: 1_000_000, outputImageMicros: 2_000_000, version: 'next-1' },
}
const SVG_PRICES = {
  'author-1': { inputMicros: 1_000_000, outputMicros: 10_000_000, maxInputTokens: 10, maxOutputTokens: 100 },
}
const ACCOUNT = { apiKey: 'key', models: [MODEL], extra: ['seed', 'lora'], svgPrices: SVG_PRICES }

const ENTRIES: Record<string, { dialect: string; entry: Record<string, unknown> }> = {
  openai: { dialect: 'openai', entry: ACCOUNT },
  'openai as pmock': { dialect: 'openai', entry: { ...ACCOUNT, preset: 'pmock' } },
  acedata: { dialect: 'acedata', entry: { ...ACCOUNT, mode: 'sync' } },
  'jimmy sync': { dialect: 'jimmy', entry: { ...ACCOUNT, mode: 'sync' } },
  jimmy: { dialect: 'jimmy', entry: ACCOUNT },
  pmock: { dialect: 'pmock', entry: { ...ACCOUNT, apiKey: undefined, accessKey: 'key', auth: 'bearer' } },
}

async function open({ dialect, entry }: { dialect: string; entry: Record<string, unknown> }) {
  const bodies: { type: string; body: Buffer }[] = []
  const server = createServer((incoming, response) => {
    void buffer(incoming).then((body) => {
      bodies.push({ type: String(incoming.headers['content-type']), body })
      response.writeHead(400).end('{}')
    })
  })
  const url = await listen(server)
  onTestFinished(() => void server.close())
  const given = Object.fromEntries(
    Object.entries({ ...entry, baseUrl: url }).filter(([, value]) => value !== undefined),
  )
  const known = dialects[dialect]!
  const provider: Provider = known.create('next', known.options.parse(given))
  onTestFinished(() => provider.close())
  return { provider, bodies }
}

const REQUESTED: Partial<ImageRequest> = {
  model: MODEL.name,
  size: '640x640',
  quality: 'MAX',
  complexity: 'HIGH',
  outputFormat: 'GIF',
  animation: { frames: 64, frameDurationMs: 95 },
  safetyIdentifier: 'ada',
  user: 'ada',
  extra: { seed: 7, lora: { name: 'ink' }, steps: 3 },
}

it.each(Object.entries(ENTRIES))('is offered, held, adjusted and sent by %s', async (_, entry) => {
  const { provider, bodies } = await open(entry)
  const [offer] = provider.offers
  expect(offer).toMatchObject({ model: MODEL.name, upstreamModel: 'next/1', price: { version: 'next-1' } })
  const match = matchCapabilities({ ...plainRequest, ...REQUESTED }, offer!, '2026-11-30')
  expect(match.refusals).toEqual([])
  expect(match.warnings.map(({ field }) => field)).toEqual(['animation.frameDurationMs', 'extra.steps'])
  const { call } = await openCall()
  const request = requestOf({ ...match.settings, upstreamModel: offer!.upstreamModel })
  await provider.submit(request, call).catch(() => undefined)
  const sent: Record<string, unknown> = JSON.parse(String(bodies[0]?.body))
  const plain = Object.fromEntries(
    Object.entries(sent).map(([name, value]) => [
      name.replaceAll(/[A-Z]/g, (one) => `_${one.toLowerCase()}`),
      value,
    ]),
  )
  expect(plain).toMatchObject({
    model: 'next/1',
    size: '640x640',
    quality: 'max',
    output_format: 'gif',
    complexity: 'high',
    frame_count: 64,
    frame_duration_ms: 100,
    safety_identifier: 'ada',
    seed: 7,
    lora: { name: 'ink' },
  })
  expect(sent).not.toHaveProperty('steps')
})

it.each(Object.entries(ENTRIES))(
  'is held with its author, refused beyond its rules, by %s',
  async (_, entry) => {
    const { provider } = await open(entry)
    const [offer] = provider.offers
    const fieldsOf = (requested: Partial<ImageRequest>) =>
      matchCapabilities(
        { ...plainRequest, model: MODEL.name, ...requested },
        offer!,
        '2026-11-30',
      ).refusals.map(({ field }) => field)
    expect(fieldsOf({ size: '1024x1024', outputFormat: 'GIF' })).toEqual(['size'])
    expect(fieldsOf({ size: '1024x1024' })).toEqual([])
    expect(fieldsOf({ outputFormat: 'SVG', svg: { model: 'author-2', effort: null } })).toEqual(['svg.model'])
    const svg = { ...plainRequest, outputFormat: 'SVG' as const, svg: { model: 'author-1', effort: null } }
    const withAuthor = worstCaseMicros(svg, offer!, 1)!
    const without = worstCaseMicros({ ...svg, outputFormat: 'PNG', svg: null }, offer!, 1)!
    expect(withAuthor - without).toBe(10 + 1000)
  },
)

it('sends the extra parameters of four-field servers, and paints as the sandbox', async () => {
  const basic = await open({
    dialect: 'basic',
    entry: { apiKey: 'key', extra: ['seed'], models: [{ name: MODEL.name, capabilities: { maxN: 2 } }] },
  })
  const { call } = await openCall()
  await basic.provider
    .submit(requestOf({ model: MODEL.name, extra: { seed: 7 } }), call)
    .catch(() => undefined)
  expect(JSON.parse(String(basic.bodies[0]?.body))).toMatchObject({ seed: 7, model: MODEL.name })

  const sandbox = dialects['sandbox']!
  const provider = sandbox.create(
    'sandbox',
    sandbox.options.parse({ durationMs: 0, models: [MODEL], svgPrices: SVG_PRICES }),
  )
  const request = requestOf({
    model: MODEL.name,
    outputFormat: 'SVG',
    svg: { model: 'author-1', effort: 'LOW' },
  })
  const result = await provider.submit(request, call)
  expect(result).toMatchObject({ state: 'DONE', resolved: { outputFormat: 'SVG', svgModel: 'author-1' } })
})

it('sends nested parameters of an edit as fields of the form', async () => {
  const { provider, bodies } = await open(ENTRIES['openai']!)
  const { call } = await openCall()
  const image = {
    mimeType: 'image/png',
    width: 8,
    height: 8,
    byteSize: 5,
    hasAlpha: true,
    blob: async () => new Blob(['image']),
  } as const
  const request = requestOf({
    model: MODEL.name,
    images: [image],
    markup: image,
    outputFormat: 'SVG',
    svg: { model: 'author-1', effort: 'LOW' },
    extra: { lora: { name: 'ink', weights: [1, 2] } },
  })
  await provider.submit(request, call).catch(() => undefined)
  const { type, body } = bodies[0]!
  const form = await new Response(new Uint8Array(body), { headers: { 'content-type': type } }).formData()
  expect([...form].filter(([, value]) => typeof value === 'string')).toEqual(
    expect.arrayContaining([
      ['svg[model]', 'author-1'],
      ['svg[reasoning][effort]', 'low'],
      ['lora[name]', 'ink'],
      ['lora[weights][]', '1'],
      ['lora[weights][]', '2'],
    ]),
  )
  expect([...form.keys()]).toEqual(expect.arrayContaining(['image', 'markup']))
})

it.each(['model', 'prompt', 'response_format', 'frameCount', 'Stream'])(
  'does not let the configuration pass %s through, which a dialect sends itself',
  (name) => {
    const openai = dialects['openai']!
    expect(openai.options.safeParse({ apiKey: 'key', extra: [name] }).success).toBe(false)
  },
)

it('is held and estimated by its own count of tokens', () => {
  const imageTokens = [
    { quality: 'LOW' as const, tokens: 300 },
    { size: '640x640', tokens: 700 },
  ]
  const [offer] = offersFrom([{ ...MODEL_NAME, price: { ...PRICE, imageTokens } }])
  const outputOf = (requested: Partial<ImageRequest>) => {
    const request = { ...plainRequest, prompt: '', ...requested }
    return [worstCaseMicros(request, offer!, 2), expectedMicros(request, offer!, 2)]
  }
  expect(outputOf({ size: '640x640', quality: 'LOW' })).toEqual([1400, 600])
  expect(outputOf({ size: '640x640', quality: 'HIGH' })).toEqual([1400, 1400])
  expect(outputOf({ size: '640x640', quality: 'AUTO' })).toEqual([1400, 1400])
  expect(outputOf({ size: '1024x1024', quality: 'LOW' })).toEqual([600, 600])
  // No entry says what `auto` may become, or a high quality: the maximum of the published rules.
  expect(outputOf({ size: 'auto', quality: 'HIGH' })).toEqual([47_438, 47_438])
})

const MODEL_NAME = { name: 'counted' }
const PRICE = {
  inputTextMicros: 0,
  inputImageMicros: null,
  outputImageMicros: 1_000_000,
  outputTextMicros: null,
  version: 'own',
}
