// What clients receive while and after they wait: on a clock whose pauses pass forty times as fast.
import { createServer } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { systemClock, type Clock } from '../../src/clock.ts'
import { DEFAULT_PROJECT } from '../../src/db/access/projects.ts'
import { GatewayError } from '../../src/errors.ts'
import { errorBody, problemHeaders, problemOf } from '../../src/http/rest/problem.ts'
import { listen } from '../providers/upstreams/listen.ts'
import { startProgram, type ClientProgram } from './client-program.ts'
import { decodeAsOpenaiPython } from './openai-decoder.ts'
import { openRestServer, post, type ImagesReply, type RestServer } from './rest-server.ts'

const FASTER = 40
let shiftMs = 0
const clock: Clock = {
  ...systemClock,
  now: () => systemClock.now() + shiftMs,
  sleep: (ms, signal) => systemClock.sleep(ms / FASTER, signal),
}
/** Forty seconds, and some time for the network. */
const SILENCE_MS = 40_000 / FASTER + 300

let openai: ClientProgram
let rest: RestServer
let url: string
beforeAll(async () => {
  // A hung request would be asked about before it is released.
  ;[openai, rest] = await Promise.all([startProgram('rest-openai'), openRestServer({ clock })])
  url = rest.url
})
afterAll(async () => {
  await openai[Symbol.asyncDispose]()
  await rest[Symbol.asyncDispose]()
})

const ONE = { pays: 1, tasks: 1 }

describe('openai for Node', () => {
  it('gets a URL that still works after half an hour', async () => {
    const params = { prompt: 'a fox', response_format: 'url' }
    const { data } = await openai.get<ImagesReply>('generate', { url, params })
    expect(data.map((image) => Object.keys(image))).toEqual([['url']])
    const statusAfter = async (minutes: number) => {
      shiftMs = minutes * 60_000
      onTestFinished(() => void (shiftMs = 0))
      const response = await fetch(data[0]!.url!)
      const bytes = Buffer.from(await response.arrayBuffer())
      return [response.status, bytes.equals(rest.upstream.imageBytes.at(-1)!)]
    }
    expect(await statusAfter(0)).toEqual([200, true])
    expect(await statusAfter(30)).toEqual([200, true])
    expect(rest.added()).toMatchObject(ONE)
  })

  it('repeats a request by itself when waiting two seconds lifts a limit', async () => {
    await using limited = await openRestServer()
    await limited.server.get(
      'mutation ($owner: ID!) { setLimits(input: { owner: $owner, limits: { requestsPerMinute: 1 } }) { __typename } }',
      { owner: DEFAULT_PROJECT },
    )
    // The minute begins with its first request: almost a minute ago.
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - 58_500 })
    await fetch(`${limited.url}/v1/models`, { headers: { authorization: 'Bearer test' } })
    vi.useRealTimers()
    const params = { prompt: 'later' }
    const { value, requests } = await openai.call<ImagesReply>('generate', { url: limited.url, params })
    expect(requests.map(({ status }) => status)).toEqual([429, 200])
    expect(requests[0]?.reply).toMatchObject({ 'x-should-retry': 'true', 'retry-after': '2' })
    expect(value?.data).toHaveLength(1)
    expect(limited.records()).toMatchObject(ONE)
  })

  it('asks once when a limit is lifted after five minutes, and reads so', async () => {
    const error = new GatewayError('RATE_LIMITED', 'Try again in 300 s.', { retryAfterMs: 300_000 })
    const problem = problemOf({ is: 'REFUSED', error, param: null })
    const limited = createServer((request, response) => {
      request.resume()
      response
        .writeHead(problem.status, { ...problemHeaders(problem), 'content-type': 'application/json' })
        .end(JSON.stringify(errorBody(problem)))
    })
    const origin = await listen(limited)
    const { error: thrown, requests } = await openai.call('generate', {
      url: origin,
      params: { prompt: 'a' },
    })
    limited.closeAllConnections()
    limited.close()
    expect(requests.map(({ status, reply }) => [status, reply?.['x-should-retry']])).toEqual([[429, 'false']])
    expect(Number(requests[0]?.reply?.['retry-after'])).toBeLessThanOrEqual(60)
    expect(thrown).toMatchObject({ code: 'rate_limit_exceeded', error: { retry_after_ms: 300_000 } })
  })
})

describe('forty seconds of silence upstream', () => {
  it('are filled with comments that the decoder of openai-python ignores', async () => {
    const upstream = await newSilence()
    const response = await post(upstream.url, { prompt: 'slow', stream: true })
    const pieces: string[] = []
    for await (const piece of response.body!.pipeThrough(new TextDecoderStream())) {
      pieces.push(piece)
      if (pieces.length === 1) void upstream.speakLater()
    }
    expect(pieces[0]).toMatch(/^: darkroom task_\w+\n\n$/)
    const { events, comments } = decodeAsOpenaiPython(pieces.join(''))
    expect(comments).toBeGreaterThanOrEqual(3)
    expect(events.map(({ event }) => event)).toEqual(['image_generation.completed'])
    expect(upstream.records()).toMatchObject(ONE)
  })

  it('are filled with white space for a client that asks for it', async () => {
    const upstream = await newSilence()
    const headers = { 'darkroom-keepalive': 'whitespace' }
    const response = await post(upstream.url, { prompt: 'slow' }, { headers })
    void upstream.speakLater()
    const text = await response.text()
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/json'])
    expect(/^ */.exec(text)![0].length).toBeGreaterThanOrEqual(3)
    expect((JSON.parse(text) as ImagesReply).data).toHaveLength(1)
    expect(upstream.records()).toMatchObject(ONE)
  })
})

describe('white space before a response', () => {
  const keepalive = { 'darkroom-keepalive': 'whitespace' }

  it('is read by openai for Node', async () => {
    const options = { headers: keepalive }
    const { value } = await openai.call<ImagesReply>('generate', {
      url,
      params: { prompt: 'spaced' },
      options,
    })
    expect(value?.data).toHaveLength(1)
    expect(rest.added()).toMatchObject(ONE)
  })

  it('fixes the status: a late error arrives with 200', async () => {
    const error = { message: 'Blocked.', type: 'image_generation_user_error', code: 'moderation_blocked' }
    rest.upstream.script({ status: 400, body: { error } })
    const response = await post(url, { prompt: 'bad' }, { headers: keepalive })
    expect([response.status, await response.json()]).toMatchObject([
      200,
      { error: { code: 'moderation_blocked' } },
    ])
    expect(rest.added()).toMatchObject({ pays: 0, tasks: 1 })
  })

  it('has no other kind', async () => {
    const response = await post(url, { prompt: 'a' }, { headers: { 'darkroom-keepalive': 'dots' } })
    expect([response.status, (await response.json()).error.code]).toEqual([400, 'invalid_value'])
    expect(rest.added()).toMatchObject({ pays: 0, tasks: 0 })
  })
})

describe('usage', () => {
  it('adds up over the images of a stream, and is null or absent if unknown', async () => {
    const params = { prompt: 'two', n: 2 }
    const events = await openai.get<{ usage: { total_tokens: number } | null }[]>('generateStream', {
      url,
      params,
    })
    expect(events.map(({ usage }) => usage?.total_tokens)).toEqual([207, 206])
    expect(rest.added()).toMatchObject(ONE)
    const [first] = rest.upstream.imageBytes
    const silent = { status: 200, body: { created: 1, data: [{ b64_json: first!.toString('base64') }] } }
    rest.upstream.script(silent, silent)
    const before = rest.upstream.requests.length
    const [completed] = await openai.get<object[]>('generateStream', { url, params: { prompt: 'one' } })
    expect(completed).toMatchObject({ type: 'image_generation.completed', usage: null })
    const plain = await openai.get<ImagesReply>('generate', { url, params: { prompt: 'one' } })
    expect(plain).not.toHaveProperty('usage')
    expect(rest.added()).toMatchObject({ tasks: 2 })
    // A scripted reply is not in the ledger: each was requested once.
    expect(rest.upstream.requests.length - before).toBe(2)
  })
})

describe('a task that is deleted', () => {
  const TIDY = `mutation ($id: ID!) { cancelTask(input: { id: $id }) { task { id } } deleteTask(input: { id: $id }) { __typename } }`

  it.each([
    [false, 424, 'false'],
    [true, 200, null],
  ])('ends the request that waits for it clearly (stream: %s)', async (stream, status, retry) => {
    await rest.server.get('mutation { pauseProvider(input: { name: "paid" }) { provider { name } } }')
    const waiting = post(url, { prompt: `doomed ${stream}`, stream })
    const newest = async () =>
      (
        await rest.server.get<{ tasks: { nodes: { id: string; status: string }[] } }>(
          '{ tasks(first: 1, filter: { statuses: [QUEUED] }) { nodes { id status } } }',
        )
      ).tasks.nodes[0]?.id
    await expect.poll(newest).toMatch(/^task_/)
    await rest.server.get(TIDY, { id: await newest() })
    const response = await waiting
    const text = await response.text()
    expect(text).toContain('task_canceled')
    expect([response.status, response.headers.get('x-should-retry')]).toEqual([status, retry])
    await rest.server.get('mutation { resumeProvider(input: { name: "paid" }) { provider { name } } }')
    const again = await post(url, { prompt: `doomed ${stream}` })
    expect((await again.json()).data).toHaveLength(1)
    expect(rest.added()).toMatchObject({ pays: 1, tasks: 2 })
  })
})

/** A server whose upstream is silent for forty seconds of the clock. */
async function newSilence() {
  const silent = await openRestServer({ clock })
  onTestFinished(() => silent[Symbol.asyncDispose]())
  silent.upstream.script('hang')
  return {
    ...silent,
    async speakLater() {
      await sleep(SILENCE_MS)
      silent.upstream.release()
    },
  }
}
