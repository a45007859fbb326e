import { createServer } from 'node:http'
import { text } from 'node:stream/consumers'
import { describe, expect, it, onTestFinished } from 'vitest'
import { acedata } from '../../src/providers/acedata/acedata.ts'
import type { AcedataOptions } from '../../src/providers/acedata/options.ts'
import { UNKNOWN_USAGE, type ProviderRequest } from '../../src/providers/provider.ts'
import { downloadFailure, runRequest, failureOf, inputOf, openCall, requestOf } from './call.ts'
import { startAcedataUpstream, type CallbackScenario } from './upstreams/acedata.ts'
import type { CannedReply, ReceivedRequest } from './upstreams/fake.ts'
import { formOf } from './upstreams/form.ts'
import { listen } from './upstreams/listen.ts'

async function open(entry: object = {}) {
  const upstream = await startAcedataUpstream()
  const options = acedata.options.parse({ baseUrl: upstream.url, apiKey: 'ace-test-key', ...entry })
  const provider = acedata.create('acedata', options)
  onTestFinished(async () => {
    await provider.close()
    await upstream.close()
  })
  return { provider, upstream }
}

async function sent(overrides: Partial<ProviderRequest>, entry: object = SYNC): Promise<ReceivedRequest> {
  const { provider, upstream } = await open(entry)
  await runRequest(provider, overrides)
  const [request] = upstream.requests
  if (!request) throw new Error('Nothing arrived')
  return request
}

/** The receiver of callbacks. */
async function openDoor() {
  const bodies: string[] = []
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      bodies.push(body)
      response.writeHead(204).end()
    })
  })
  const url = `${await listen(server)}/callbacks/secret`
  onTestFinished(() => void server.close())
  return { url, bodies }
}

async function submitWithCallback(scenario: CallbackScenario, entry: object = {}) {
  const { provider, upstream } = await open(entry)
  const door = await openDoor()
  const { call, reports } = await openCall({ callbackUrl: door.url })
  upstream.scriptCallbacks(scenario)
  const answer = await provider.submit(requestOf(), call)
  if (answer.state !== 'ACCEPTED') throw new Error(`The request was not accepted but ${answer.state}`)
  const check = async () => provider.check?.(answer.remoteId, requestOf(), call)
  return { provider, upstream, door, call, reports, answer, check }
}

/** The response_format that was sent. */
async function formAsked(wished: Partial<ProviderRequest>, entry: object = {}): Promise<unknown> {
  return (await sent(wished, { ...SYNC, ...entry })).parameters.response_format
}

async function failWith(reply: CannedReply, entry: object = SYNC) {
  const { provider, upstream } = await open(entry)
  upstream.script(reply)
  const { call } = await openCall()
  return failureOf(provider.submit(requestOf(), call))
}

const parse = (entry: object): AcedataOptions => acedata.options.parse({ apiKey: 'k', ...entry })
const offers = (entry: object = {}) => acedata.create('acedata', parse(entry)).offers
const loopback = (baseUrl: string) => acedata.create('acedata', parse({ baseUrl })).loopback

const SYNC = { mode: 'sync' }

describe('the page "Openai Images Generations"', () => {
  const overrides = {
    prompt: 'A cute baby sea otter',
    model: 'dall-e-3',
    size: '1024x1024',
    style: 'VIVID',
  } as const

  it('shows the request that is sent, apart from the client ref', async () => {
    const { provider, upstream } = await open()
    const door = await openDoor()
    const { call } = await openCall({ callbackUrl: door.url })
    await provider.submit(requestOf({ ...overrides, upstreamModel: 'dall-e-3' }), call)
    const [request] = upstream.requests
    expect(request?.method).toBe('POST')
    expect(request?.path).toBe('/openai/images/generations')
    expect(request?.headers.authorization).toBe('Bearer ace-test-key')
    expect(request?.headers['content-type']).toBe('application/json')
    expect(request?.headers.accept).toBe('application/json')
    expect(request?.body.toString()).toBe(
      '{"prompt":"A cute baby sea otter","model":"dall-e-3","background":"auto","moderation":"auto","n":1,' +
        '"output_compression":100,"output_format":"png","partial_images":0,"size":"1024x1024","quality":"auto",' +
        `"response_format":"url","style":"vivid","callback_url":"${door.url}","trace_id":"att_1"}`,
    )
  })

  it('shows a response whose image and prompt are read and whose usage is unknown', async () => {
    const { provider, upstream } = await open(SYNC)
    const data = [{ url: '', b64_json: 'aW1hZ2U=', revised_prompt: '<string>' }]
    upstream.script({ status: 200, body: { data, created: 123 } })
    const { imageBytes, images, usage } = await runRequest(provider, overrides)
    expect(imageBytes).toEqual([Buffer.from('image')])
    expect(images[0]?.revisedPrompt).toBe('<string>')
    expect(usage).toEqual(UNKNOWN_USAGE)
  })

  it.each<[Partial<ProviderRequest>, object]>([
    [{ quality: 'HIGH' }, { quality: 'high' }],
    [{ quality: 'MEDIUM' }, { quality: 'medium' }],
    [{ quality: 'LOW' }, { quality: 'low' }],
    [{ background: 'TRANSPARENT' }, { background: 'transparent' }],
    [{ background: 'OPAQUE' }, { background: 'opaque' }],
    [{ moderation: 'LOW' }, { moderation: 'low' }],
    [
      { outputFormat: 'JPEG', outputCompression: 0 },
      { output_format: 'jpeg', output_compression: 0 },
    ],
    [{ outputFormat: 'WEBP' }, { output_format: 'webp', output_compression: 100 }],
    [{ size: '1536x1024' }, { size: '1536x1024' }],
    [{ size: '1024x1536' }, { size: '1024x1536' }],
    [{ n: 10 }, { n: 10 }],
    [{ model: 'gpt-image-2', size: '3840x2160' }, { size: '3840x2160' }],
    [
      { model: 'dall-e-3', size: '1792x1024', quality: 'HD' },
      { size: '1792x1024', quality: 'hd' },
    ],
    [
      { model: 'dall-e-3', size: '1024x1792', quality: 'STANDARD' },
      { size: '1024x1792', quality: 'standard' },
    ],
    [{ model: 'dall-e-3', style: 'NATURAL' }, { style: 'natural' }],
    [{ model: 'dall-e-2', size: '256x256' }, { size: '256x256' }],
    [{ model: 'dall-e-2', size: '512x512' }, { size: '512x512' }],
  ])('has a value for %j', async (wished, words) => {
    expect((await sent({ model: 'gpt-image-1', ...wished })).parameters).toMatchObject(words)
  })

  it('has response_format only for models that support it', async () => {
    const base64 = { responseFormat: 'b64_json' }
    expect(await formAsked({ model: 'dall-e-3' })).toBe('url')
    expect(await formAsked({ model: 'dall-e-3' }, base64)).toBe('b64_json')
    expect(await formAsked({ model: 'gpt-image-2' }, base64)).toBe('b64_json')
    expect(await formAsked({ model: 'gpt-image-2', n: 2 }, base64)).toBe('url')
    expect(await formAsked({ model: 'gpt-image-1.5' }, base64)).toBeUndefined()
  })

  it('has no size for a DALL·E model with size auto', async () => {
    expect((await sent({ model: 'dall-e-3' })).parameters).not.toHaveProperty('size')
    expect((await sent({ model: 'gpt-image-1' })).parameters).toMatchObject({ size: 'auto' })
  })
})

it('an edit is a form with the files, the mask and the chosen settings', async () => {
  const [first, second, hole] = [Buffer.from('first\r\n--\0'), Buffer.from('second'), Buffer.from('hole')]
  const images = [inputOf(first, 'image/jpeg'), inputOf(second)]
  const overrides = {
    model: 'gpt-image-1.5',
    images,
    mask: inputOf(hole),
    inputFidelity: 'HIGH',
    quality: 'LOW',
  } as const
  const request = await sent(overrides, { mode: 'async' })
  expect(request.path).toBe('/openai/images/edits')
  const { fields, files } = await formOf(request)
  expect(fields).toEqual({
    prompt: 'a red fox in the snow',
    model: 'gpt-image-1.5',
    n: '1',
    size: 'auto',
    quality: 'low',
    input_fidelity: 'high',
    async: 'true',
    trace_id: 'att_1',
  })
  expect(files).toEqual([
    { field: 'image', name: 'image-1.jpeg', type: 'image/jpeg', bytes: first },
    { field: 'image', name: 'image-2.png', type: 'image/png', bytes: second },
    { field: 'mask', name: 'mask.png', type: 'image/png', bytes: hole },
  ])
})

describe('a result', () => {
  const RECORD = { outputTokens: 1372, inputTokens: 775, totalTokens: 2147, source: 'REPORTED' }

  it('in the reply has the images, the usage and the trace id', async () => {
    const { provider, upstream } = await open(SYNC)
    const { imageBytes, usage, reports } = await runRequest(provider, { n: 3 })
    expect(imageBytes).toEqual(upstream.imageBytes)
    expect(usage).toMatchObject(RECORD)
    expect(reports.requestIds).toEqual(['trace-task-1'])
  })

  it('by polling has the same, and is checked by the task id', async () => {
    const { provider, upstream } = await open()
    const { imageBytes, usage, reports } = await runRequest(provider, { n: 2 })
    expect(imageBytes).toEqual(upstream.imageBytes)
    expect(usage).toMatchObject(RECORD)
    expect(reports.requestIds).toContain('att_1')
    expect(upstream.requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'POST /openai/images/generations',
      'POST /openai/tasks',
      'POST /openai/tasks',
    ])
    expect(upstream.requests[1]?.body.toString()).toBe('{"action":"retrieve","id":"task-1"}')
  })

  it.each<[string, string | undefined, object]>([
    ['auto', undefined, { async: true, trace_id: 'att_1' }],
    ['auto', 'https://a.example/c', { callback_url: 'https://a.example/c', trace_id: 'att_1' }],
    ['async', 'https://a.example/c', { async: true, trace_id: 'att_1' }],
    ['sync', 'https://a.example/c', {}],
    ['callback', 'https://a.example/c', { callback_url: 'https://a.example/c', trace_id: 'att_1' }],
  ])('in mode %s with the callback URL %s is requested by %j', async (mode, callbackUrl, words) => {
    const { provider, upstream } = await open({ mode })
    upstream.scriptCallbacks('never')
    const { call } = await openCall({ callbackUrl })
    await provider.submit(requestOf(), call)
    const { async, callback_url, trace_id } = upstream.requests[0]?.parameters ?? {}
    expect(JSON.parse(JSON.stringify({ async, callback_url, trace_id }))).toEqual(words)
  })

  it('in mode callback without a callback URL is refused before anything is sent', async () => {
    const { provider, upstream } = await open({ mode: 'callback' })
    const { call } = await openCall()
    const failure = await failureOf(provider.submit(requestOf(), call))
    expect(failure).toMatchObject({ kind: 'refused', code: 'PROVIDER_MISCONFIGURED', charged: 'NO' })
    expect(upstream.requests).toEqual([])
    expect(await provider.check?.('task-1', requestOf(), call)).toMatchObject({ state: 'MISSING' })
  })

  it('by callback is polled less often', async () => {
    const { answer, check } = await submitWithCallback('never', { pollMs: 1000, callbackPollMs: 60_000 })
    expect(answer.checkAfterMs).toBe(60_000)
    expect(await check()).toEqual({ state: 'PENDING', progress: null, checkAfterMs: 60_000 })
    const { provider } = await open({ pollMs: 1000 })
    const { call } = await openCall()
    expect(await provider.submit(requestOf(), call)).toMatchObject({ checkAfterMs: 1000 })
  })
})

describe('a callback', () => {
  it.each<[CallbackScenario, number]>([
    ['nested', 1],
    ['flat', 1],
    ['twice', 2],
    ['early', 1],
  ])('that arrives %s names the task, whose record then has the image', async (scenario, times) => {
    const { provider, upstream, door, answer, check } = await submitWithCallback(scenario)
    await expect.poll(() => upstream.deliveries.length).toBe(times)
    expect(upstream.deliveries.every(({ status }) => status === 204)).toBe(true)
    for (const body of door.bodies)
      expect(provider.readCallback?.(body)).toEqual({ remoteId: answer.remoteId })
    expect(await check()).toMatchObject({ state: 'DONE' })
    expect([...upstream.charges.values()]).toEqual([1])
  })

  it('may arrive before the reply to the submit', async () => {
    const { upstream, reports } = await submitWithCallback('early')
    expect(upstream.deliveries).toHaveLength(1)
    expect(reports.requestIds).toEqual(['att_1'])
  })

  it('that is forged is not trusted', async () => {
    const { provider, door, answer, check } = await submitWithCallback('forged')
    await expect.poll(() => door.bodies.length).toBe(1)
    expect(provider.readCallback?.(String(door.bodies[0]))).toEqual({ remoteId: answer.remoteId })
    expect(await check()).toMatchObject({ state: 'PENDING' })
    expect(await check()).toMatchObject({ state: 'DONE' })
  })

  it('that reports a failure is confirmed by the record', async () => {
    const { upstream, check } = await submitWithCallback('failing')
    await expect.poll(() => upstream.deliveries.length).toBe(1)
    const failure = await failureOf(check())
    expect(failure).toMatchObject({ kind: 'broken', charged: 'UNKNOWN', providerRequestId: 'att_1' })
    expect(failure.message).toBe('acedata failed: fetch failed (status 200, api_error).')
  })

  it('that is late or lost is not needed', async () => {
    const { upstream, door, check } = await submitWithCallback('late')
    expect(await check()).toMatchObject({ state: 'PENDING' })
    expect(await check()).toMatchObject({ state: 'DONE' })
    expect(door.bodies).toEqual([])
    await upstream.deliver()
    expect(door.bodies).toHaveLength(1)
    expect(await check()).toMatchObject({ state: 'DONE' })
  })
})

describe('a failure', () => {
  it('keeps the trace id and the message of the upstream', async () => {
    const error = { code: 'bad_request', message: 'size width and height must be multiples of 16' }
    const failure = await failWith({ status: 400, body: { error, trace_id: 'c1f8' } })
    expect(failure.providerRequestId).toBe('c1f8')
    expect(failure.message).toBe(
      'acedata rejected the request: size width and height must be multiples of 16 (status 400, bad_request).',
    )
  })

  it('about the account is kept for the log only', async () => {
    const error = { code: 'used_up', message: 'balance of user 77 is not enough' }
    const failure = await failWith({ status: 403, body: { success: false, error, trace_id: 'c1f8' } })
    expect(failure.message).not.toContain('77')
    expect(String(failure.cause)).toContain('77')
  })

  it('of a check says nothing about the charge', async () => {
    const { provider, upstream } = await open()
    upstream.script({ status: 401, body: { error: { code: 'invalid_token', message: 'No.' } } })
    const { call } = await openCall()
    const failure = await failureOf(provider.check?.('task-1', requestOf(), call) ?? Promise.resolve())
    expect(failure).toMatchObject({ kind: 'refused', code: 'PROVIDER_MISCONFIGURED', charged: 'UNKNOWN' })
  })

  it('does not follow from a link of a task that cannot be downloaded', async () => {
    const { provider, upstream } = await open()
    const url = `${new URL(upstream.url).origin}/gone.png`
    upstream.script({ status: 200, body: { id: 'task-1', response: { data: [{ url }] } } })
    const { call } = await openCall()
    const result = await provider.check?.('task-1', requestOf(), call)
    expect(result).toMatchObject({ state: 'DONE', images: [{ url }] })
    expect(await downloadFailure(provider, url, call)).toBe('UNREACHABLE')
  })

  it('by a timeout on record ends the task with a known outcome', async () => {
    const { provider, upstream } = await open()
    const response = { success: false, error: { code: 'timeout', message: 'The model took too long' } }
    upstream.script({ status: 200, body: { id: 'task-1', response } })
    const { call } = await openCall()
    const failure = await failureOf(provider.check?.('task-1', requestOf(), call) ?? Promise.resolve())
    expect(failure).toMatchObject({ kind: 'broken', code: 'PROVIDER_BROKEN', charged: 'UNKNOWN' })
  })

  it('is uncharged with unbilledFailures', async () => {
    const reply = { status: 500, body: { error: { code: 'api_error', message: 'No.' } } }
    const unbilled = { ...SYNC, unbilledFailures: true }
    expect(await failWith(reply, unbilled)).toMatchObject({ kind: 'broken', charged: 'NO' })
  })

  it('does not follow from a link to a private address, which is not downloaded', async () => {
    const { provider, upstream } = await open(SYNC)
    const url = 'http://10.0.0.1/i.png'
    upstream.script({ status: 200, body: { data: [{ url }] } })
    const { call } = await openCall()
    const result = await provider.submit(requestOf(), call)
    expect(result).toMatchObject({ state: 'DONE', images: [{ url }] })
    expect(await downloadFailure(provider, url, call)).toBe('FORBIDDEN')
  })
})

describe('the configuration', () => {
  it('comes from its environment variables', () => {
    expect(acedata.fromEnvironment({ ACEDATA_BASE_URL: 'http://localhost:1' })).toBeUndefined()
    expect(acedata.fromEnvironment({ ACEDATA_API_KEY: 'k', ACEDATA_BASE_URL: '' })).toEqual({ apiKey: 'k' })
    const env = { ACEDATA_API_KEY: 'k', ACEDATA_BASE_URL: 'http://localhost:1' }
    expect(acedata.fromEnvironment(env)).toEqual({ apiKey: 'k', baseUrl: 'http://localhost:1' })
  })

  it('needs only a key', () => {
    expect(parse({})).toMatchObject({
      baseUrl: 'https://api.acedata.cloud/openai',
      mode: 'auto',
      pollMs: 5000,
    })
    expect(acedata.options.safeParse({}).success).toBe(false)
    expect(acedata.options.safeParse({ apiKey: 'k', callback: true }).success).toBe(false)
  })

  it('offers the capabilities that the pages list for each family, without prices', () => {
    const can = Object.fromEntries(offers().map(({ model, capabilities }) => [model, capabilities]))
    expect(can['gpt-image-1']).toMatchObject({
      sizes: { kind: 'list' },
      inputFidelities: ['HIGH', 'LOW'],
      maxN: 10,
    })
    expect(can['gpt-image-2']).toMatchObject({ sizes: { kind: 'rule' }, inputFidelities: [], mask: true })
    expect(can['gpt-image-2.5-flare']?.qualities).toEqual(['AUTO', 'LOW', 'MEDIUM', 'HIGH'])
    expect(can['dall-e-3']).toMatchObject({ styles: ['VIVID', 'NATURAL'], maxN: 1, operations: ['GENERATE'] })
    expect(offers().every(({ price }) => price === null)).toBe(true)
    expect(offers({ models: ['nano-banana'] })[0]?.capabilities).toMatchObject({
      operations: ['GENERATE'],
      maxN: 1,
    })
  })

  it('recognises an upstream on a loopback address', () => {
    expect(loopback('http://127.0.0.1:1/openai')).toBe(true)
    expect(loopback('http://[::1]:1/openai')).toBe(true)
    expect(loopback('http://localhost:1/openai')).toBe(true)
    expect(loopback('https://api.acedata.cloud/openai')).toBe(false)
  })
})
