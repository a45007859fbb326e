import { describe, expect, it, onTestFinished } from 'vitest'
import { basic } from '../../src/providers/basic/basic.ts'
import { UNKNOWN_USAGE, type ProviderRequest } from '../../src/providers/provider.ts'
import { downloadFailure, submitAndCheck, runRequest, openCall, requestOf } from './call.ts'
import { testProvider, type FailureRow } from './contract.ts'
import { basicError, startBasicUpstream, type Form } from './upstreams/basic.ts'

const apiKey = 'canary-basic-41d8e0'

async function open(entry: object = {}) {
  const upstream = await startBasicUpstream({ apiKey })
  const options = basic.options.parse({ baseUrl: upstream.url, apiKey, ...entry })
  return { provider: basic.create('cloud', options), upstream }
}

async function openForTest(entry: object = {}) {
  const { provider, upstream } = await open(entry)
  onTestFinished(async () => {
    await provider.close()
    await upstream.close()
  })
  return { provider, upstream }
}

const say = (error: object) => ({ status: 400, body: { error } })

const FAILURES: FailureRow[] = [
  [
    'a wrong key',
    'refused',
    'PROVIDER_MISCONFIGURED',
    'NO',
    basicError(401, 'invalid_api_key', 'API key is invalid'),
  ],
  ['a key without rights', 'refused', 'PROVIDER_MISCONFIGURED', 'NO', basicError(403, 'forbidden', 'No.')],
  ['an empty balance', 'refused', 'PROVIDER_QUOTA', 'NO', basicError(402, 'no_balance', 'No.')],
  ['a used-up quota', 'refused', 'PROVIDER_QUOTA', 'NO', basicError(429, 'insufficient_quota', 'No.')],
  ['a bad parameter', 'rejected', 'PROVIDER_REJECTED', 'NO', basicError(400, 'invalid_value', 'No.')],
  [
    'a blocked prompt',
    'rejected',
    'MODERATION_BLOCKED',
    'UNKNOWN',
    basicError(400, 'moderation_blocked', 'No.'),
  ],
  ['an error without a type', 'rejected', 'PROVIDER_REJECTED', 'NO', say({ message: 'No.', code: 'x' })],
  ['an error without a code', 'rejected', 'PROVIDER_REJECTED', 'NO', say({ message: 'No.', type: 'x' })],
  ['an error of one word', 'rejected', 'PROVIDER_REJECTED', 'NO', { status: 400, body: { error: 'No.' } }],
  [
    'a code that JavaScript knows',
    'rejected',
    'PROVIDER_REJECTED',
    'NO',
    basicError(400, 'constructor', 'No.'),
  ],
  [
    'an error with status 200',
    'rejected',
    'PROVIDER_REJECTED',
    'UNKNOWN',
    { ...basicError(200, 'invalid_value', 'No.') },
  ],
  [
    'a base URL that leads elsewhere',
    'refused',
    'PROVIDER_MISCONFIGURED',
    'NO',
    { status: 404, body: 'Not Found' },
  ],
  ['a server’s failure', 'lost', 'OUTCOME_UNKNOWN', 'UNKNOWN', basicError(500, 'server_error', 'No.')],
  ['a proxy’s failure', 'lost', 'OUTCOME_UNKNOWN', 'UNKNOWN', { status: 504, body: '<h1>504</h1>' }],
]

testProvider('basic', {
  open,
  secrets: [apiKey],
  plain: {
    path: '/api/v1/images/generations',
    body: { model: 'gpt-image-2', prompt: 'a red fox in the snow', size: '1024x1024', n: 1 },
  },
  givesNoRequestId: true,
  busy: basicError(429, 'rate_limit_exceeded', 'Slow down.'),
  rejection: (message) => basicError(400, 'invalid_value', message),
  wrongBase64: { status: 200, body: { created: 1, data: [{ url: '', b64_json: '%%%%' }], usage: {} } },
  results: (image) => [
    { json: { created: 1_780_000_456, data: [{ ...image, revised_prompt: 'A fox.' }], usage: {} } },
    { json: { created: 1_780_000_456, data: [{ b64_json: '', url: image.url }] } },
  ],
  failures: FAILURES,
})

const PAGE_ORDER: Partial<ProviderRequest> = {
  prompt: 'A simple red apple on a white table, photorealistic',
  size: '1024x1024',
}

describe('the page’s own example', () => {
  it('is sent byte for byte with all headers', async () => {
    const { provider, upstream } = await openForTest()
    await runRequest(provider, PAGE_ORDER)
    const [request] = upstream.requests
    expect(request?.method).toBe('POST')
    expect(request?.path).toBe('/api/v1/images/generations')
    expect(request?.headers).toMatchObject({
      authorization: `Bearer ${apiKey}`,
      'content-type': 'application/json',
      'idempotency-key': 'att_1',
    })
    expect(String(request?.body)).toBe(
      '{"model":"gpt-image-2","prompt":"A simple red apple on a white table, photorealistic","size":"1024x1024","n":1}',
    )
  })

  it('returns its image, its revised prompt and an unknown usage', async () => {
    const { provider, upstream } = await openForTest()
    const { imageBytes, images, usage, resolved } = await runRequest(provider, PAGE_ORDER)
    expect(imageBytes).toEqual(upstream.imageBytes)
    expect(images[0]?.revisedPrompt).toBe(
      'A simple red apple on a white table, photorealistic, photorealistic',
    )
    expect(usage).toEqual(UNKNOWN_USAGE)
    expect(resolved).toEqual({ size: '1024x1024' })
  })
})

describe('a reply', () => {
  it.each<Form>(['both', 'url', 'b64_json'])(
    'has its images as %s, with an empty text for the other',
    async (form) => {
      const { provider, upstream } = await openForTest()
      upstream.give(form)
      const { imageBytes } = await runRequest(provider, { n: 2 })
      expect(imageBytes).toEqual(upstream.imageBytes)
      expect(imageBytes).toHaveLength(2)
    },
  )

  it('with a usage is read with it', async () => {
    const { provider, upstream } = await openForTest()
    const usage = { input_tokens: 21, output_tokens: 196, total_tokens: 217 }
    upstream.script({ status: 200, body: { data: [{ b64_json: 'AAAA' }], usage } })
    expect((await runRequest(provider)).usage).toMatchObject({ outputTokens: 196, source: 'REPORTED' })
  })

  it('with a link to a private address is a result that is not downloaded', async () => {
    const { provider, upstream } = await openForTest()
    const url = 'http://169.254.169.254/'
    upstream.script({ status: 200, body: { data: [{ url }], usage: {} } })
    const { call } = await openCall()
    const result = await submitAndCheck(provider, requestOf(), call)
    expect(result).toMatchObject({ state: 'DONE', images: [{ url }] })
    expect(await downloadFailure(provider, url, call)).toBe('FORBIDDEN')
  })
})

describe('size auto', () => {
  it('is sent as the configured default and reported as the resolved size', async () => {
    const { provider, upstream } = await openForTest({ defaultSize: '1536x1024' })
    const { resolved } = await runRequest(provider, { size: 'auto' })
    expect(upstream.requests[0]?.parameters).toMatchObject({ size: '1536x1024' })
    expect(resolved.size).toBe('1536x1024')
  })
})

describe('the configuration', () => {
  it('needs a base URL and a key', () => {
    expect(basic.options.safeParse({ apiKey }).success).toBe(false)
    expect(basic.options.safeParse({ baseUrl: 'https://example.com/api/v1' }).success).toBe(false)
    expect(basic.options.parse({ baseUrl: 'https://example.com/api/v1', apiKey })).toEqual({
      baseUrl: 'https://example.com/api/v1',
      apiKey,
      models: ['gpt-image-2'],
      defaultSize: '1024x1024',
      timeoutMs: 600_000,
      concurrency: 256,
      resultTtlMs: 86_400_000,
      unbilledServerErrors: false,
    })
  })

  it.each([
    { defaultSize: 'auto' },
    { defaultSize: '0x1' },
    { quality: 'low' },
    { models: [] },
    { models: [{ name: 'gpt-image-2', capabilities: { user: true } }] },
  ])('refuses %j', (entry) => {
    const whole = { baseUrl: 'https://example.com/api/v1', apiKey, ...entry }
    expect(basic.options.safeParse(whole).success).toBe(false)
  })

  it('can name the sizes of a model', async () => {
    const sizes = { kind: 'list', auto: true, values: ['512x512'] }
    const { provider } = await openForTest({ models: [{ name: 'gpt-image-2', capabilities: { sizes } }] })
    expect(provider.offers[0]?.capabilities).toMatchObject({ sizes, maxN: 10 })
  })

  it('comes from two environment variables, or not at all', () => {
    expect(basic.fromEnvironment({ BASIC_API_KEY: 'a' })).toBeUndefined()
    expect(basic.fromEnvironment({ BASIC_BASE_URL: 'b' })).toBeUndefined()
    expect(basic.fromEnvironment({ BASIC_API_KEY: 'a', BASIC_BASE_URL: 'b' })).toEqual({
      apiKey: 'a',
      baseUrl: 'b',
    })
  })

  it('offers one model without a price and with the capabilities of the page', async () => {
    const { provider } = await openForTest()
    expect(provider.offers).toMatchObject([
      {
        model: 'gpt-image-2',
        price: null,
        capabilities: { operations: ['GENERATE'], qualities: ['AUTO'], outputFormats: ['PNG'], user: false },
      },
    ])
    expect(provider.offers[0]?.capabilities.sizes).toMatchObject({ kind: 'rule', auto: true, maxEdge: 3840 })
  })
})
