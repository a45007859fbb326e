// The preset `pmock` of the `openai` dialect.
import { describe, expect, it, onTestFinished } from 'vitest'
import { createOpenaiDialect } from '../../src/providers/openai/openai.ts'
import { PMOCK } from '../../src/providers/pmock/preset.ts'
import type { ProviderRequest } from '../../src/providers/provider.ts'
import { runRequest, failureOf, inputOf, openCall, requestOf } from './call.ts'
import { testProvider } from './contract.ts'
import { startCompatUpstream, wrapped, type Wrapper } from './upstreams/pmock-compat.ts'

const openai = createOpenaiDialect({ pmock: PMOCK })
const accessKey = 'canary-compat-8e21b4'

async function open(entry: object = {}) {
  const upstream = await startCompatUpstream({ accessKey })
  const options = openai.options.parse({
    preset: 'pmock',
    baseUrl: upstream.url,
    apiKey: accessKey,
    ...entry,
  })
  return { provider: openai.create('pmock-compat', options), upstream }
}

async function openForTest(entry: object = {}) {
  const { provider, upstream } = await open(entry)
  onTestFinished(async () => {
    await provider.close()
    await upstream.close()
  })
  return { provider, upstream }
}

async function sent(entry: object, overrides: Partial<ProviderRequest>): Promise<string> {
  const { provider, upstream } = await openForTest(entry)
  await runRequest(provider, overrides)
  return String(upstream.requests[0]?.body)
}

function event(type: string, fields: object): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`
}

function parse(entry: object) {
  return openai.options.parse({ apiKey: 'a', preset: 'pmock', ...entry })
}

function offered(entry: object) {
  return openai.create('x', parse(entry)).offers[0]
}

testProvider('pmock-compat', {
  open,
  secrets: [accessKey],
  plain: {
    path: '/api/ai/openai/v1/images/generations',
    body: {
      prompt: 'a red fox in the snow',
      model: 'gpt-image-2',
      background: 'auto',
      moderation: 'auto',
      n: 1,
      output_format: 'png',
      quality: 'auto',
      response_format: 'b64_json',
      size: 'auto',
    },
  },
  // The page shows no request id outside of a wrapper, and replies may have none.
  givesNoRequestId: true,
  busy: { ...wrapped(429, null, 'No.'), status: 429 },
  rejection: (message) => wrapped(400, null, message),
  wrongBase64: wrapped(200, { data: [{ b64_json: '%%%%' }] }),
  failures: [
    ['a wrong key', 'refused', 'PROVIDER_MISCONFIGURED', 'NO', wrapped(401, null, 'No.')],
    [
      'a wrong key in OpenAI’s form',
      'refused',
      'PROVIDER_MISCONFIGURED',
      'NO',
      { status: 401, body: { error: { message: 'No.', type: 'x', param: null, code: 'invalid_api_key' } } },
    ],
    ['an empty balance', 'refused', 'PROVIDER_QUOTA', 'NO', wrapped(402, null, 'No.')],
    [
      'a bad parameter with its status',
      'rejected',
      'PROVIDER_REJECTED',
      'NO',
      { ...wrapped(400, null), status: 400 },
    ],
    ['a blocked prompt', 'rejected', 'MODERATION_BLOCKED', 'UNKNOWN', wrapped(400, null, 'Content policy.')],
    ['too many requests with status 200', 'busy', 'PROVIDER_RATE_LIMITED', 'NO', wrapped(429, null, 'No.')],
    ['a server’s failure', 'lost', 'OUTCOME_UNKNOWN', 'UNKNOWN', wrapped(500, null, 'No.')],
    ['an undocumented code', 'broken', 'PROVIDER_BROKEN', 'UNKNOWN', wrapped(10_023, null, 'No.')],
    ['a wrapper around nothing', 'broken', 'PROVIDER_BROKEN', 'UNKNOWN', wrapped(200, null)],
  ],
})

describe('the page’s own example', () => {
  const overrides: Partial<ProviderRequest> = {
    prompt: '<string>',
    background: 'TRANSPARENT',
    outputCompression: 73,
    partialImages: 2,
    size: '1024x1024',
    inputFidelity: 'HIGH',
    user: '<string>',
  }
  const page = {
    prompt: '<string>',
    model: 'gpt-image-2',
    background: 'transparent',
    moderation: 'auto',
    n: 1,
    outputCompression: 73,
    outputFormat: 'png',
    partialImages: 2,
    quality: 'auto',
    responseFormat: 'url',
    size: '1024x1024',
    inputFidelity: 'high',
    user: '<string>',
  }

  it('is sent in camelCase, byte for byte with every field in order', async () => {
    expect(await sent({ naming: 'camel', responseFormat: 'url' }, overrides)).toBe(JSON.stringify(page))
  })

  it('is sent in snake_case like that of its sample client', async () => {
    const snake = JSON.stringify(page).replaceAll(
      /"([a-z]+)([A-Z])([a-z]+)":/g,
      (_, head: string, letter: string, tail: string) => `"${head}_${letter.toLowerCase()}${tail}":`,
    )
    expect(snake).toContain('"output_compression":73')
    expect(await sent({ responseFormat: 'url' }, overrides)).toBe(snake)
  })

  it('of the sample client requests base64, with the access key as a bearer token', async () => {
    const { provider, upstream } = await openForTest()
    await runRequest(provider, { prompt: 'a cute cat' })
    expect(upstream.requests[0]?.parameters).toMatchObject({
      prompt: 'a cute cat',
      response_format: 'b64_json',
    })
    expect(upstream.requests[0]?.headers.authorization).toBe(`Bearer ${accessKey}`)
  })
})

describe('a reply', () => {
  it.each<Wrapper>(['nothing', 'an envelope', 'an envelope around the list'])(
    'in %s has its image byte for byte, as base64 and as a link',
    async (form) => {
      for (const responseFormat of ['url', 'b64_json']) {
        const { provider, upstream } = await openForTest({ responseFormat })
        upstream.wrap(form)
        const { imageBytes } = await runRequest(provider)
        expect(imageBytes).toEqual(upstream.imageBytes)
      }
    },
  )

  it('in an envelope has its trace id, its usage and the resolved settings', async () => {
    const { provider, upstream } = await openForTest()
    upstream.wrap('an envelope')
    const { reports, usage, resolved } = await runRequest(provider)
    expect(reports.requestIds).toEqual(['trace-77d2'])
    expect(usage).toMatchObject({ outputTokens: 196, source: 'REPORTED' })
    expect(resolved).toEqual({ size: '1024x1024' })
  })

  it('with partial images is read as a stream, even if none was requested', async () => {
    const { provider, upstream } = await openForTest()
    const body =
      event('image_generation.partial_image', { b64_json: 'AAAA', partial_image_index: 0 }) +
      event('image_generation.completed', { b64_json: 'BBBB' })
    upstream.script({ status: 200, headers: { 'content-type': 'text/event-stream' }, body })
    const { reports, imageBytes } = await runRequest(provider, { partialImages: 1 })
    expect(reports.partials).toHaveLength(1)
    expect(imageBytes).toEqual([Buffer.from('BBBB', 'base64')])
  })

  it('of a failure has the trace id, and is uncharged only with unbilledServerErrors', async () => {
    for (const [unbilledServerErrors, kind, charged] of [
      [false, 'lost', 'UNKNOWN'],
      [true, 'broken', 'NO'],
    ] as const) {
      const { provider, upstream } = await openForTest({ unbilledServerErrors })
      upstream.script(wrapped(500, null, 'The brush broke.'))
      const { call } = await openCall()
      const failure = await failureOf(provider.submit(requestOf(), call))
      expect(failure).toMatchObject({ kind, charged, providerRequestId: 'trace-77d2' })
    }
  })
})

describe('the preset', () => {
  it('has the base URL of pmock by default', () => {
    expect(parse({}).baseUrl).toBe('https://ai.pmock.com/api/ai/openai/v1')
    expect(parse({ baseUrl: 'https://example.com/v1' }).baseUrl).toBe('https://example.com/v1')
    expect(openai.options.parse({ apiKey: 'a' }).baseUrl).toBe('https://api.openai.com/v1')
  })

  it('offers the capabilities of the page, without a price', () => {
    expect(offered({})).toMatchObject({
      model: 'gpt-image-2',
      price: null,
      capabilities: {
        operations: ['GENERATE'],
        sizes: {
          kind: 'list',
          auto: true,
          values: ['1024x1024', '1024x1536', '1536x1024', '2048x2048', '2048x1152', '3840x2160', '2160x3840'],
        },
        qualities: ['AUTO', 'LOW', 'MEDIUM', 'HIGH', 'STANDARD'],
        maxN: 1,
        user: true,
        maxPartialImages: 3,
      },
    })
    expect(offered({ mode: 'sync' })?.capabilities.maxPartialImages).toBe(0)
  })

  it('requests a stream only if configured', async () => {
    expect(JSON.parse(await sent({}, { partialImages: 1 }))).not.toHaveProperty('stream')
    const { provider, upstream } = await openForTest({ mode: 'stream' })
    upstream.script({ status: 200, body: { data: [{ b64_json: 'AAAA' }] } })
    await runRequest(provider, { partialImages: 1 })
    expect(upstream.requests[0]?.parameters).toMatchObject({ stream: true, partial_images: 1 })
  })

  it('sends edits as to OpenAI', async () => {
    const { provider, upstream } = await openForTest()
    upstream.script({ status: 200, body: { data: [{ b64_json: 'AAAA' }] } })
    await runRequest(provider, { images: [inputOf(Buffer.from('image'))], inputFidelity: 'LOW' })
    expect(upstream.requests[0]?.path).toBe('/api/ai/openai/v1/images/edits')
    expect(String(upstream.requests[0]?.body)).toContain('name="input_fidelity"\r\n\r\nlow')
  })
})
