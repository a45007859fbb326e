import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { jimmy } from '../../src/providers/jimmy/jimmy.ts'
import { SHAPES, type JimmyOptions } from '../../src/providers/jimmy/options.ts'
import { UNKNOWN_USAGE, type ProviderRequest, type Provider } from '../../src/providers/provider.ts'
import { downloadFailure, runRequest, failureOf, inputOf, openCall, readImage, requestOf } from './call.ts'
import type { CannedReply, FakeUpstream, ReceivedRequest } from './upstreams/fake.ts'
import { formOf } from './upstreams/form.ts'
import { startJimmyUpstream } from './upstreams/jimmy.ts'

let upstream: FakeUpstream
beforeAll(async () => {
  upstream = await startJimmyUpstream()
})
beforeEach(() => {
  upstream.requests.length = 0
  upstream.imageBytes.length = 0
})
afterAll(() => upstream.close())

function open(entry: object = {}, { url } = upstream): Provider {
  const options = jimmy.options.parse({ baseUrl: url, apiKey: 'jimmy-test-key', ...entry })
  const provider = jimmy.create('jimmy', options)
  onTestFinished(() => provider.close())
  return provider
}

/** An upstream with the field names of newer clients, which the page does not list. */
async function startNewer(): Promise<FakeUpstream> {
  const newer = await startJimmyUpstream({ taskFields: 'ratio' })
  onTestFinished(() => newer.close())
  return newer
}

async function sent(overrides: Partial<ProviderRequest>, entry: object = {}): Promise<ReceivedRequest> {
  await runRequest(open(entry), overrides)
  const [request] = upstream.requests
  if (!request) throw new Error('Nothing arrived')
  return request
}

function path({ requests: [request] }: FakeUpstream): string | undefined {
  return request?.path.replace('/api/open-api/v1', '')
}

async function failWith(reply: CannedReply, entry: object = SYNC) {
  upstream.script(reply)
  const { call } = await openCall()
  return failureOf(open(entry).submit(requestOf(), call))
}

const parse = (entry: object): JimmyOptions => jimmy.options.parse({ apiKey: 'k', ...entry })
const offered = (entry: object) => jimmy.create('jimmy', parse(entry)).offers[0]

const SYNC = { mode: 'sync' }
const ASYNC = { mode: 'async' }
const RATIO = { taskFields: 'ratio' }

describe('the page "Text-to-Image (Sync)"', () => {
  const prompt = 'Cyberpunk city at night in the rain, neon signs, cinematic framing'

  it('shows the request that is sent', async () => {
    const request = await sent({ prompt, size: '1024x1024', quality: 'HIGH' })
    expect(request.method).toBe('POST')
    expect(request.path).toBe('/api/open-api/v1/images/generations')
    expect(request.headers.authorization).toBe('Bearer jimmy-test-key')
    expect(request.headers['content-type']).toBe('application/json')
    expect(request.body.toString()).toBe(
      `{"model":"gpt-image-2","prompt":"${prompt}","size":"1024x1024","n":1,"quality":"high"}`,
    )
  })

  it('shows a response whose image, prompt and usage are read', async () => {
    const details = { image_tokens: 123, text_tokens: 123 }
    const body = {
      code: 20000,
      msg: 'ok',
      data: {
        created: 123,
        data: [{ b64_json: 'aW1hZ2U=', revised_prompt: '<string>' }],
        model: 'gpt-image-2',
        usage: {
          input_tokens: 123,
          output_tokens: 123,
          total_tokens: 123,
          input_tokens_details: details,
          output_tokens_details: details,
        },
      },
    }
    upstream.script({ status: 200, body })
    const { imageBytes, images, usage, resolved } = await runRequest(open(SYNC))
    expect(imageBytes).toEqual([Buffer.from('image')])
    expect(images[0]?.revisedPrompt).toBe('<string>')
    expect(usage).toEqual({
      inputTokens: 123,
      outputTokens: 123,
      totalTokens: 123,
      inputTextTokens: 123,
      inputImageTokens: 123,
      outputTextTokens: 123,
      outputImageTokens: 123,
      svgInputTokens: null,
      svgOutputTokens: null,
      svgReasoningTokens: null,
      source: 'REPORTED',
    })
    expect(resolved).toEqual({ size: '1024x1024', quality: 'LOW' })
  })

  it.each<[Partial<ProviderRequest>, object]>([
    [{ quality: 'LOW' }, { quality: 'low' }],
    [{ quality: 'MEDIUM' }, { quality: 'medium' }],
    [{ quality: 'HIGH' }, { quality: 'high' }],
    [{ background: 'TRANSPARENT' }, { background: 'transparent' }],
    [{ background: 'OPAQUE' }, { background: 'opaque' }],
    [{ outputFormat: 'JPEG' }, { output_format: 'jpeg' }],
    [{ outputFormat: 'WEBP' }, { output_format: 'webp' }],
    [{ size: '1008x656' }, { size: '1008x656' }],
  ])('has a value for %j, which tasks do not support', async (overrides, words) => {
    const request = await sent(overrides)
    expect(request.path).toBe('/api/open-api/v1/images/generations')
    expect(request.parameters).toMatchObject(words)
  })
})

describe('quality AUTO', () => {
  it('is sent as the default, and reported as it', async () => {
    const { resolved } = await runRequest(open(SYNC))
    expect(upstream.requests[0]?.parameters).toMatchObject({ quality: 'low' })
    expect(resolved.quality).toBe('LOW')
  })

  it('is reported as the upstream reports it', async () => {
    const data = { data: [{ b64_json: 'aW1hZ2U=' }], quality: 'medium', size: '1254x1254' }
    upstream.script({ status: 200, body: { code: 20000, data } })
    expect((await runRequest(open(SYNC))).resolved).toEqual({ quality: 'MEDIUM', size: '1254x1254' })
  })

  it('is sent as configured, and is unknown if the upstream chooses', async () => {
    const { resolved } = await runRequest(open({ ...SYNC, autoQuality: 'auto' }))
    expect(upstream.requests[0]?.parameters).toMatchObject({ quality: 'auto' })
    expect(resolved).toEqual({ size: '1024x1024' })
    expect((await runRequest(open({ ...SYNC, autoQuality: 'high' }))).resolved.quality).toBe('HIGH')
  })

  it('is left out of a task, and sent with the field names of newer clients', async () => {
    expect((await runRequest(open())).resolved).toEqual({})
    expect((await runRequest(open(RATIO, await startNewer()))).resolved).toEqual({ quality: 'LOW' })
  })
})

describe('an edit', () => {
  const [first, second, hole] = [Buffer.from('first\r\n--\0'), Buffer.from('second'), Buffer.from('hole')]

  it('with a mask is a form with repeated `image` fields', async () => {
    const images = [inputOf(first, 'image/jpeg'), inputOf(second, 'image/webp')]
    const request = await sent({ images, mask: inputOf(hole), quality: 'HIGH', outputFormat: 'WEBP' })
    expect(request.path).toBe('/api/open-api/v1/images/edits')
    const { fields, files } = await formOf(request)
    expect(fields).toEqual({
      model: 'gpt-image-2',
      prompt: 'a red fox in the snow',
      size: '1024x1024',
      n: '1',
      quality: 'high',
      output_format: 'webp',
    })
    expect(files).toEqual([
      { field: 'image', name: 'image-1.jpeg', type: 'image/jpeg', bytes: first },
      { field: 'image', name: 'image-2.webp', type: 'image/webp', bytes: second },
      { field: 'mask', name: 'mask.png', type: 'image/png', bytes: hole },
    ])
  })

  it('with images only is a task that contains them', async () => {
    const request = await sent({ images: [inputOf(first, 'image/webp')], size: '1024x1536' })
    expect(request.path).toBe('/api/open-api/v1/images')
    expect(request.body.toString()).toBe(
      '{"model":"gpt-image-2","prompt":"a red fox in the snow","size":"2:3","resolution":"1k",' +
        `"images":["data:image/webp;base64,${first.toString('base64')}"]}`,
    )
  })

  it('of images too large for JSON is a form', async () => {
    const large = { ...inputOf(first), byteSize: 12_000_001 }
    expect((await sent({ images: [large] })).path).toBe('/api/open-api/v1/images/edits')
  })

  it('of a file above the maximum of the page is rejected before anything is sent', async () => {
    const { call } = await openCall()
    const images = [inputOf(first), { ...inputOf(second), byteSize: 20_000_001 }]
    const failure = await failureOf(open(SYNC).submit(requestOf({ images }), call))
    expect(failure).toMatchObject({ kind: 'rejected', code: 'INPUT_IMAGE_INVALID', charged: 'NO' })
    expect(failure.message).toBe(
      'Input image 2 has 20000001 bytes; the maximum of jimmy is 20000000. Use a smaller file.',
    )
    expect(upstream.requests).toEqual([])
  })
})

describe('a task', () => {
  const entries = Object.entries(SHAPES)

  it.each(entries)('of size %s is %j', async (size, { ratio, resolution }) => {
    const request = await sent({ size }, ASYNC)
    expect(request.path).toBe('/api/open-api/v1/images')
    expect(request.parameters).toMatchObject({ size: ratio, resolution })
  })

  it.each(entries.filter(([size]) => size !== 'auto'))('of size %s has its nominal ratio', (size, shape) => {
    const [width = 0, height = 0] = size.split('x').map(Number)
    const [across = 0, down = 0] = shape.ratio.split(':').map(Number)
    expect(Math.abs(width / height / (across / down) - 1)).toBeLessThan(0.02)
    expect(width % 16 || height % 16).toBe(0)
  })

  it('can have every ratio and resolution of its page', () => {
    const ratios = entries.map(([, { ratio }]) => ratio)
    const page = 'auto 1:1 3:2 2:3 4:3 3:4 5:4 4:5 16:9 9:16 2:1 1:2 3:1 1:3 21:9 9:21'.split(' ')
    expect([...new Set(ratios)].sort()).toEqual(page.sort())
    expect(new Set(entries.map(([, { resolution }]) => resolution))).toEqual(new Set(['1k', '2k', '4k']))
  })

  it('is checked by its id, reports its progress, and ends with the image', async () => {
    const { call } = await openCall()
    const provider = open({ pollMs: 7000 })
    const accepted = await provider.submit(requestOf(), call)
    if (accepted.state !== 'ACCEPTED') throw new Error(`The request was not accepted but ${accepted.state}`)
    expect(accepted.checkAfterMs).toBe(7000)
    const { remoteId } = accepted
    const check = () => provider.check?.(remoteId, requestOf(), call)
    expect(await check()).toEqual({ state: 'PENDING', progress: 0, checkAfterMs: 7000 })
    expect(await check()).toEqual({ state: 'PENDING', progress: 0.4, checkAfterMs: 7000 })
    expect(await check()).toMatchObject({ state: 'DONE', usage: UNKNOWN_USAGE })
    expect(upstream.requests.slice(1).map(({ method, path: at }) => `${method} ${at}`)).toEqual(
      Array.from({ length: 3 }, () => `GET /api/open-api/v1/images/${remoteId}`),
    )
  })

  it.each([
    ['a text', (url: string) => url],
    ['a list', (url: string) => [url]],
  ])('has its image links as %s', async (_form, imageUrl) => {
    const { images } = await runRequest(open(SYNC))
    const result = { image_url: imageUrl(`${new URL(upstream.url).origin}/images/0`) }
    upstream.script({ status: 200, body: { code: '20000', data: { status: 'completed', result } } })
    const { call } = await openCall()
    const answer = await open().check?.('img_1', requestOf(), call)
    if (answer?.state !== 'DONE') throw new Error('The task is not done')
    expect(images).toHaveLength(1)
    expect(await readImage(open(), answer.images[0]!, call)).toEqual(upstream.imageBytes[0])
  })

  it('returns the address of an image that cannot be downloaded', async () => {
    const url = `${new URL(upstream.url).origin}/gone.png`
    const result = { image_url: url }
    upstream.script({ status: 200, body: { code: '20000', data: { status: 'completed', result } } })
    const { call } = await openCall()
    const checked = await open().check?.('img_1', requestOf(), call)
    expect(checked).toMatchObject({ state: 'DONE', images: [{ url }] })
    expect(await downloadFailure(open(), url, call)).toBe('UNREACHABLE')
  })

  it('is checked by its escaped id', async () => {
    const { call } = await openCall()
    await open().check?.('../a b', requestOf(), call)
    expect(path(upstream)).toBe('/images/..%2Fa%20b')
  })

  it.each([
    ['45', 0.45],
    ['45%', 0.45],
    [250, 1],
    [-1, 0],
    [null, null],
    ['half', null],
  ])('with the progress %j reports %j', async (progress, fraction) => {
    upstream.script({ status: 200, body: { code: '20000', data: { status: 'processing', progress } } })
    const { call } = await openCall()
    expect(await open().check?.('img_1', requestOf(), call)).toMatchObject({ progress: fraction })
  })

  it('may have an envelope and a numeric id', async () => {
    for (const [task_id, remoteId] of [
      ['img_9', 'img_9'],
      [7, '7'],
    ]) {
      upstream.script({
        status: 200,
        body: { code: '20000', msg: 'ok', data: { task_id, status: 'queued' } },
      })
      const { call } = await openCall()
      expect(await open().submit(requestOf(), call)).toMatchObject({ state: 'ACCEPTED', remoteId })
    }
  })

  it('has a quality with the field names of newer clients', async () => {
    const newer = await startNewer()
    await runRequest(open(RATIO, newer), { quality: 'HIGH', size: '3840x2160' })
    expect(newer.requests[0]?.body.toString()).toBe(
      '{"model":"gpt-image-2","prompt":"a red fox in the snow","ratio":"16:9","resolution":"4k","quality":"high"}',
    )
  })
})

describe('a failure', () => {
  const failed: CannedReply = { status: 200, body: { code: 20002, msg: 'bad request: size', data: null } }

  it('is reported with the upstream’s message and code', async () => {
    const { message } = await failWith(failed)
    expect(message).toBe('jimmy rejected the request: bad request: size (status 200, 20002).')
  })

  it('about the account is kept for the log only', async () => {
    const failure = await failWith({ status: 402, body: { code: 40001, msg: 'Insufficient balance: $0.02' } })
    expect(failure.message).toBe(
      'jimmy refuses requests: the quota or balance of its account is used up (status 402, 40001).',
    )
    expect(String(failure.cause)).toContain('$0.02')
  })

  it('is uncharged with unbilledFailures, unlike a lost request', async () => {
    const unbilled = { ...SYNC, unbilledFailures: true }
    const broken = { status: 200, body: { code: -1, msg: 'server error' } }
    expect(await failWith(broken, unbilled)).toMatchObject({ kind: 'broken', charged: 'NO' })
    expect(await failWith({ status: 502, body: '' }, unbilled)).toMatchObject({
      kind: 'lost',
      charged: 'UNKNOWN',
    })
  })

  it('does not follow from a link to a private address, which is not downloaded', async () => {
    const url = 'http://10.0.0.1/i.png'
    upstream.script({ status: 200, body: { code: 20000, data: { data: [{ url }] } } })
    const { call } = await openCall()
    const result = await open(SYNC).submit(requestOf(), call)
    expect(result).toMatchObject({ state: 'DONE', images: [{ url }] })
    expect(await downloadFailure(open(SYNC), url, call)).toBe('FORBIDDEN')
  })
})

describe('the configuration', () => {
  it('comes from its environment variables', () => {
    expect(jimmy.fromEnvironment({ JIMMY_BASE_URL: 'http://localhost:1' })).toBeUndefined()
    expect(jimmy.fromEnvironment({ JIMMY_API_KEY: 'k', JIMMY_BASE_URL: '' })).toEqual({ apiKey: 'k' })
    const env = { JIMMY_API_KEY: 'k', JIMMY_BASE_URL: 'http://localhost:1' }
    expect(jimmy.fromEnvironment(env)).toEqual({ apiKey: 'k', baseUrl: 'http://localhost:1' })
  })

  it('needs only a key', () => {
    expect(parse({})).toEqual({
      apiKey: 'k',
      baseUrl: 'https://www.jimmyai.cn/api/open-api/v1',
      models: ['gpt-image-2'],
      timeoutMs: 600_000,
      concurrency: 256,
      resultTtlMs: 86_400_000,
      pollMs: 5000,
      mode: 'auto',
      autoQuality: 'low',
      taskFields: 'size',
      unbilledFailures: false,
    })
  })

  it.each([
    { apiKey: 'a\nb' },
    { baseUrl: 'jimmyai.cn' },
    { mode: 'callback' },
    { pollMs: 0 },
    { apiKye: 'k' },
  ])('refuses %j', (entry) => expect(jimmy.options.safeParse({ apiKey: 'k', ...entry }).success).toBe(false))

  it('offers in mode async only what a task can express', () => {
    expect(offered({ mode: 'sync' })?.capabilities).toMatchObject({
      sizes: { kind: 'rule' },
      maxN: 1,
      mask: true,
    })
    expect(offered({ mode: 'async' })?.capabilities).toMatchObject({
      sizes: { kind: 'list', auto: true },
      qualities: ['AUTO'],
      backgrounds: ['AUTO'],
      outputFormats: ['PNG'],
      mask: false,
    })
    expect(offered({ mode: 'async', ...RATIO })?.capabilities.qualities).toContain('HIGH')
  })

  it('applies configured prices only, and overrides the capabilities of a model', () => {
    expect(offered({})?.price).toBeNull()
    const price = { inputTextMicros: 1, outputImageMicros: 2 }
    const models = [{ name: 'gpt-image-2', price, capabilities: { mask: false } }]
    expect(offered({ models })).toMatchObject({ price, capabilities: { mask: false, maxInputImages: 16 } })
  })
})
