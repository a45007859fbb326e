import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { CATALOGUE } from '../../src/providers/models/catalogue.ts'
import { UNKNOWN_USAGE, type Offer, type ProviderRequest } from '../../src/providers/provider.ts'
import type { OpenaiOptions } from '../../src/providers/openai/openai.ts'
import { runRequest, inputOf, openai, openCall, openOpenai, requestOf } from './openai-call.ts'
import { startOpenaiUpstream, type OpenaiUpstream, type ReceivedRequest } from './upstreams/openai.ts'

let upstream: OpenaiUpstream
beforeAll(async () => {
  upstream = await startOpenaiUpstream()
})
beforeEach(() => {
  upstream.requests.length = 0
  upstream.imageBytes.length = 0
})
afterAll(() => upstream.close())

async function sent(
  overrides: Partial<ProviderRequest>,
  options: Record<string, unknown> = {},
): Promise<ReceivedRequest> {
  await runRequest(openOpenai(upstream, options), overrides)
  const [request] = upstream.requests
  if (!request || upstream.requests.length > 1)
    throw new Error(`${upstream.requests.length} requests arrived`)
  return request
}

const STREAM = { mode: 'stream' }

const EVERYTHING = {
  size: '1536x1024',
  quality: 'HIGH',
  background: 'OPAQUE',
  moderation: 'LOW',
  outputFormat: 'WEBP',
  outputCompression: 0,
  n: 2,
  user: 'user-7',
} as const

describe('a generation', () => {
  it('leaves default settings out', async () => {
    const request = await sent({})
    expect(request.path).toBe('/v1/images/generations')
    expect(request.body.toString()).toBe('{"model":"gpt-image-2","prompt":"a red fox in the snow","n":1}')
  })

  it('sends every chosen setting with the names of the API', async () => {
    expect((await sent(EVERYTHING)).parameters).toEqual({
      model: 'gpt-image-2',
      prompt: 'a red fox in the snow',
      n: 2,
      size: '1536x1024',
      quality: 'high',
      background: 'opaque',
      moderation: 'low',
      output_format: 'webp',
      output_compression: 0,
      user: 'user-7',
    })
  })

  it('of a DALL·E model requests base64 and sends the style', async () => {
    const overrides = { model: 'dall-e-3', size: '1792x1024', quality: 'HD', style: 'VIVID' } as const
    expect((await sent(overrides)).parameters).toEqual({
      model: 'dall-e-3',
      prompt: 'a red fox in the snow',
      n: 1,
      size: '1792x1024',
      quality: 'hd',
      style: 'vivid',
      response_format: 'b64_json',
    })
  })

  it('sends response_format if configured', async () => {
    expect((await sent({ model: 'dall-e-3' }, { responseFormat: 'url' })).parameters).toMatchObject({
      response_format: 'url',
    })
  })

  it('sends the upstream’s name of the model', async () => {
    expect((await sent({ upstreamModel: 'gpt-image-2-2026-04-21' })).parameters).toMatchObject({
      model: 'gpt-image-2-2026-04-21',
    })
  })

  it('carries the credentials and the client ref', async () => {
    const { headers } = await sent({}, { organization: 'org-1', project: 'proj-1' })
    expect(headers).toMatchObject({
      authorization: 'Bearer sk-test-key',
      'content-type': 'application/json',
      'openai-organization': 'org-1',
      'openai-project': 'proj-1',
      'x-client-request-id': 'att_1',
      'idempotency-key': 'att_1',
      connection: 'close',
    })
  })
})

describe('an edit', () => {
  const [first, second, hole] = [Buffer.from('first\r\n--\0'), Buffer.from('second'), Buffer.from('hole')]

  it('of one image sends it as `image`, with size auto', async () => {
    const request = await sent({ images: [inputOf(first)] })
    expect(request.path).toBe('/v1/images/edits')
    expect(request.parameters).toEqual({
      model: 'gpt-image-2',
      prompt: 'a red fox in the snow',
      n: '1',
      size: 'auto',
    })
    expect(request.files).toEqual([{ field: 'image', name: 'image-1.png', type: 'image/png', bytes: first }])
  })

  it('of two images and a mask sends them in order, byte for byte, each with its own type', async () => {
    const images = [inputOf(first, 'image/jpeg'), inputOf(second, 'image/webp')]
    const request = await sent({ ...EVERYTHING, images, mask: inputOf(hole) })
    expect(request.files).toEqual([
      { field: 'image[]', name: 'image-1.jpeg', type: 'image/jpeg', bytes: first },
      { field: 'image[]', name: 'image-2.webp', type: 'image/webp', bytes: second },
      { field: 'mask', name: 'mask.png', type: 'image/png', bytes: hole },
    ])
    expect(request.parameters).toEqual({
      model: 'gpt-image-2',
      prompt: 'a red fox in the snow',
      n: '2',
      size: '1536x1024',
      quality: 'high',
      background: 'opaque',
      moderation: 'low',
      output_format: 'webp',
      output_compression: '0',
      user: 'user-7',
    })
    expect(Number(request.headers['content-length'])).toBe(request.body.length)
  })

  it('sends the input fidelity if the model supports it', async () => {
    const overrides = { model: 'gpt-image-1.5', images: [inputOf(first)], inputFidelity: 'HIGH' } as const
    expect((await sent(overrides)).parameters).toMatchObject({ input_fidelity: 'high' })
  })

  it('can stream', async () => {
    const provider = openOpenai(upstream, STREAM)
    const { reports, imageBytes } = await runRequest(provider, { images: [inputOf(first)], partialImages: 1 })
    expect(upstream.requests[0]?.parameters).toMatchObject({ stream: 'true', partial_images: '1' })
    expect(reports.partials).toEqual([{ bytes: upstream.imageBytes[0], index: 0 }])
    expect(imageBytes).toEqual([upstream.imageBytes[1]])
  })
})

describe('a reply', () => {
  it.each(['ok-json', 'ok-url', 'drip'] as const)('by %s has the images byte for byte', async (scenario) => {
    upstream.script(scenario)
    const { imageBytes, reports, usage, resolved } = await runRequest(openOpenai(upstream), {
      n: 2,
      outputFormat: 'WEBP',
    })
    expect(imageBytes).toEqual(upstream.imageBytes)
    expect(imageBytes).toHaveLength(2)
    expect(reports.phases).toEqual(['DISPATCHED', 'HEADERS', 'BODY_DONE'])
    expect(resolved).toEqual({
      size: '1024x1024',
      quality: 'LOW',
      background: 'OPAQUE',
      outputFormat: 'WEBP',
    })
    expect(usage).toEqual({
      ...UNKNOWN_USAGE,
      inputTokens: 21,
      outputTokens: 392,
      totalTokens: 413,
      inputTextTokens: 21,
      inputImageTokens: 0,
      outputTextTokens: 0,
      outputImageTokens: 392,
      source: 'REPORTED',
    })
  })

  const b64_json = Buffer.from('image').toString('base64')
  async function usageOf(usage: unknown) {
    upstream.script({ status: 200, body: { data: [{ b64_json }], usage } })
    return (await runRequest(openOpenai(upstream))).usage
  }

  it('without usage, or with an empty one, has an unknown usage, not zero', async () => {
    expect(await usageOf(undefined)).toEqual(UNKNOWN_USAGE)
    expect(await usageOf({})).toEqual(UNKNOWN_USAGE)
    expect(await usageOf({ input_tokens: -1, output_tokens: 'many' })).toEqual(UNKNOWN_USAGE)
  })

  it('with a partial usage keeps the reported part', async () => {
    expect(await usageOf({ output_tokens: 196 })).toEqual({
      ...UNKNOWN_USAGE,
      outputTokens: 196,
      outputTextTokens: 0,
      outputImageTokens: 196,
      source: 'REPORTED',
    })
  })

  it('has the revised prompt, and skips an empty image', async () => {
    const data = [
      { b64_json, revised_prompt: 'A red fox, at dawn' },
      { b64_json: '', url: null },
    ]
    upstream.script({ status: 200, body: { data, quality: 'sublime' } })
    const { images, resolved } = await runRequest(openOpenai(upstream), { n: 2 })
    expect(images.map(({ revisedPrompt }) => revisedPrompt)).toEqual(['A red fox, at dawn'])
    expect(resolved).toEqual({})
  })

  it('is read by its content, regardless of its content type', async () => {
    const json = JSON.stringify({ data: [{ b64_json }] })
    const event = `\n\n: hello\n\nevent: image_generation.completed\ndata: {"b64_json":"${b64_json}"}\n\n`
    for (const [type, body] of [
      ['text/event-stream', json],
      ['*/*', `\n ${json}`],
      ['application/json', event],
    ]) {
      upstream.script({ status: 200, headers: { 'content-type': String(type) }, body })
      expect((await runRequest(openOpenai(upstream))).imageBytes).toEqual([Buffer.from('image')])
    }
  })
})

describe('a stream', () => {
  it('passes on each partial image before the next one is read, then the image', async () => {
    const { call, reports } = await openCall()
    const steps: string[] = []
    const slow = {
      ...call,
      async onPartial(file: string, index: number) {
        steps.push(`partial ${index} begins`)
        await call.onPartial(file, index)
        steps.push(`partial ${index} ends`)
      },
    }
    const answer = await openOpenai(upstream, STREAM).submit(requestOf({ partialImages: 2 }), slow)
    expect(upstream.requests[0]?.parameters).toMatchObject({ stream: true, partial_images: 2 })
    expect(steps).toEqual(['partial 0 begins', 'partial 0 ends', 'partial 1 begins', 'partial 1 ends'])
    expect(reports.partials.map(({ bytes }) => bytes)).toEqual(upstream.imageBytes.slice(0, 2))
    expect(reports.progress).toEqual([1 / 3, 2 / 3])
    expect(answer).toMatchObject({ state: 'DONE', resolved: { size: '1024x1024', quality: 'LOW' } })
  })

  it('counts all output tokens as image tokens, since its events do not split them', async () => {
    const { usage } = await runRequest(openOpenai(upstream, STREAM))
    expect(usage).toMatchObject({
      outputTokens: 196,
      outputImageTokens: 196,
      outputTextTokens: 0,
      source: 'REPORTED',
    })
  })

  it('is done with its image, even if partial images follow', async () => {
    upstream.script('final-before-partials')
    const { imageBytes, reports } = await runRequest(openOpenai(upstream, STREAM), { partialImages: 3 })
    expect(imageBytes).toEqual([upstream.imageBytes[0]])
    expect(reports.partials).toEqual([])
  })

  it('passes on partial images before the image is done', async () => {
    upstream.script('hold-final')
    const { call, reports } = await openCall()
    const answer = openOpenai(upstream, STREAM).submit(requestOf({ partialImages: 2 }), call)
    await expect.poll(() => reports.partials.length).toBe(2)
    upstream.release()
    expect(await answer).toMatchObject({ state: 'DONE' })
  })

  it('of several images has one finished event for each, and an estimated sum of their usages', async () => {
    const { imageBytes, usage } = await runRequest(openOpenai(upstream, STREAM), { n: 3 })
    expect(imageBytes).toEqual(upstream.imageBytes)
    expect(imageBytes).toHaveLength(3)
    expect(usage).toMatchObject({ outputTokens: 588, source: 'ESTIMATED' })
  })

  it('keeps finished images if it breaks off before the others', async () => {
    const b64_json = Buffer.from('image').toString('base64')
    const usage = '{"input_tokens":21,"output_tokens":196}'
    const done = `event: image_generation.completed\ndata: {"b64_json":"${b64_json}","usage":${usage}}\n\n`
    const error = 'event: error\ndata: {"error":{"message":"The canvas tore."}}\n\n'
    upstream.script({ status: 200, headers: { 'content-type': 'text/event-stream' }, body: done + error })
    const answer = await runRequest(openOpenai(upstream, STREAM), { n: 2 })
    expect(answer.imageBytes).toEqual([Buffer.from('image')])
    expect(answer.usage).toEqual(UNKNOWN_USAGE)
  })
})

function parse(entry: object): OpenaiOptions {
  return openai.options.parse({ apiKey: 'sk-1', ...entry })
}

function offersOf(entry: object): readonly Offer[] {
  return openai.create('openai', parse(entry)).offers
}

function maxPartialImages(entry: object): number | undefined {
  return offersOf(entry)[0]?.capabilities.maxPartialImages
}

describe('the configuration', () => {
  it('comes from the variables that OpenAI’s own clients read', () => {
    expect(openai.fromEnvironment({})).toBeUndefined()
    expect(openai.fromEnvironment({ OPENAI_BASE_URL: 'http://localhost:1' })).toBeUndefined()
    expect(openai.fromEnvironment({ OPENAI_API_KEY: 'sk-1', OPENAI_BASE_URL: '' })).toEqual({
      apiKey: 'sk-1',
    })
    const env = {
      OPENAI_API_KEY: 'sk-1',
      OPENAI_BASE_URL: 'http://localhost:1/v1',
      OPENAI_ORG_ID: 'o',
      OPENAI_PROJECT_ID: 'p',
    }
    expect(openai.fromEnvironment(env)).toEqual({
      apiKey: 'sk-1',
      baseUrl: 'http://localhost:1/v1',
      organization: 'o',
      project: 'p',
    })
  })

  it('needs only a key', () => {
    expect(parse({})).toEqual({
      apiKey: 'sk-1',
      baseUrl: 'https://api.openai.com/v1',
      timeoutMs: 600_000,
      concurrency: 256,
      resultTtlMs: 86_400_000,
      mode: 'auto',
      unbilledServerErrors: false,
    })
    expect(openai.options.safeParse({}).success).toBe(false)
  })

  it.each([
    { apiKey: 'sk-1\nx-evil: 1' },
    { baseUrl: 'ftp://example.com' },
    { baseUrl: 'https://user:pass@example.com/v1' },
    { baseUrl: 'example.com' },
    { timeoutMs: 0 },
    { mode: 'fast' },
    { models: [] },
    { models: [{ name: 'x', capabilities: { maxN: 11 } }] },
    { aipKey: 'typo' },
  ])('refuses %j', (entry) => {
    expect(openai.options.safeParse({ apiKey: 'sk-1', ...entry }).success).toBe(false)
  })

  it('offers every current GPT image model by default', () => {
    const current = CATALOGUE.filter(({ name, retiresOn }) => name.startsWith('gpt-') && !retiresOn)
    expect(offersOf({}).map(({ model }) => model)).toEqual(current.map(({ name }) => name))
    expect(offersOf({ models: ['gpt-image-1.5'] })).toMatchObject([
      { model: 'gpt-image-1.5', retiresOn: '2026-12-01' },
    ])
  })

  it('overrides single properties of a model, and assumes few capabilities of a model outside of the catalogue', () => {
    const price = { inputTextMicros: 1, outputImageMicros: 2 }
    const [renamed, unknown] = offersOf({
      models: [
        { name: 'gpt-image-2', upstreamModel: 'deployment-7', capabilities: { maxN: 4 }, price },
        { name: 'flux', capabilities: { sizes: undefined } },
      ],
    })
    const known = CATALOGUE.find(({ name }) => name === 'gpt-image-2')
    expect(renamed).toEqual({
      model: 'gpt-image-2',
      upstreamModel: 'deployment-7',
      capabilities: { ...known?.capabilities, maxN: 4 },
      price: {
        ...price,
        inputImageMicros: null,
        outputTextMicros: null,
        // The version names the prices, so that other prices have another version.
        version: expect.stringMatching(/^configured-[0-9a-f]{8}$/) as string,
      },
      retiresOn: null,
      successor: null,
      svgPrices: {},
    })
    expect(unknown).toMatchObject({
      price: null,
      capabilities: { operations: ['GENERATE'], sizes: { auto: true } },
    })
  })

  it('offers partial images only if the server is known to stream', () => {
    expect(maxPartialImages({})).toBe(3)
    expect(maxPartialImages({ mode: 'sync' })).toBe(0)
    expect(maxPartialImages({ baseUrl: 'http://localhost:1/v1' })).toBe(0)
    expect(maxPartialImages({ baseUrl: 'http://localhost:1/v1', mode: 'stream' })).toBe(3)
  })
})
