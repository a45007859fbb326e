import { describe, expect, it, onTestFinished } from 'vitest'
import { createPmock, pmock } from '../../src/providers/pmock/pmock.ts'
import { signatureHeaders } from '../../src/providers/pmock/signature.ts'
import type { ProviderRequest } from '../../src/providers/provider.ts'
import {
  downloadFailure,
  submitAndCheck,
  runRequest,
  failureOf,
  inputOf,
  openCall,
  requestOf,
} from './call.ts'
import { startPmockUpstream, taskReply, type PmockAccount, type ResultForm } from './upstreams/pmock.ts'

const ACCOUNT: PmockAccount = {
  accessKey: 'ak-demo',
  secretKey: 'sk-demo-secret',
  // Fifteen seconds after the start of the minute of the signature below.
  now: () => 1_779_999_975_000,
}

async function open(entry: object = {}, account: Partial<PmockAccount> = {}) {
  const { accessKey, secretKey, now } = { ...ACCOUNT, ...account }
  const upstream = await startPmockUpstream({ ...ACCOUNT, ...account })
  const options = pmock.options.parse({ baseUrl: upstream.url, accessKey, secretKey, ...entry })
  const provider = createPmock('pmock', options, { now })
  onTestFinished(async () => {
    await provider.close()
    await upstream.close()
  })
  return { provider, upstream }
}

const url = (text: string) => `data:image/png;base64,${Buffer.from(text).toString('base64')}`

describe('the page’s own example', () => {
  const overrides: Partial<ProviderRequest> = {
    prompt: '<string>',
    background: 'TRANSPARENT',
    outputCompression: 73,
    inputFidelity: 'HIGH',
    images: [inputOf(Buffer.from('image'))],
    mask: inputOf(Buffer.from('mask')),
  }

  it('is sent byte for byte, with every field in order', async () => {
    const { provider, upstream } = await open({ responseFormat: 'url' })
    const { call } = await openCall()
    await provider.submit(requestOf(overrides), call)
    const page = {
      prompt: '<string>',
      model: 'gpt-image-2',
      size: 'auto',
      n: 1,
      quality: 'auto',
      background: 'transparent',
      outputFormat: 'png',
      outputCompression: 73,
      moderation: 'auto',
      responseFormat: 'url',
      inputFidelity: 'high',
      image: [url('image')],
      mask: url('mask'),
    }
    const [request] = upstream.requests
    expect(`${request?.method} ${request?.path}`).toBe('POST /api/ai/openai/images/generate')
    expect(request?.headers).toMatchObject({ 'content-type': 'application/json', 'idempotency-key': 'att_1' })
    expect(String(request?.body)).toBe(JSON.stringify(page))
  })

  it('without images is a generation, without fields of an edit', async () => {
    const { provider, upstream } = await open()
    await runRequest(provider)
    expect(String(upstream.requests[0]?.body)).toBe(
      '{"prompt":"a red fox in the snow","model":"gpt-image-2","size":"auto","n":1,"quality":"auto",' +
        '"background":"auto","outputFormat":"png","moderation":"auto","responseFormat":"b64_json"}',
    )
  })

  it('returns a task id, and reports the trace id', async () => {
    const { provider } = await open({ pollMs: 1234 })
    const { call, reports } = await openCall()
    const answer = await provider.submit(requestOf(), call)
    expect(answer).toEqual({ state: 'ACCEPTED', remoteId: 'task/1 é', checkAfterMs: 1234 })
    expect(reports.requestIds).toEqual(['trace-9f3a'])
  })

  it('may have several images, each with its own type', async () => {
    const { provider, upstream } = await open()
    const images = [inputOf(Buffer.from('one'), 'image/jpeg'), inputOf(Buffer.from('two'), 'image/webp')]
    await runRequest(provider, { images })
    expect(upstream.requests[0]?.parameters.image).toEqual([
      'data:image/jpeg;base64,b25l',
      'data:image/webp;base64,dHdv',
    ])
    expect(upstream.requests[0]?.parameters.mask).toBeUndefined()
  })
})

describe('a signature', () => {
  const credentials = { ...ACCOUNT, headerPrefix: 'pmock' }

  it('is an HMAC over the access key and the minute', () => {
    expect(signatureHeaders(credentials, 1_779_999_960_000)).toEqual({
      'pmock-access-key': 'ak-demo',
      'pmock-access-token': 'U2Fz7XKRofFETSHGHLnJ5Qg4+ohmub2ZL6oy98m+wXU=',
    })
  })

  it('is the same for the whole minute, and another in the next', () => {
    const first = signatureHeaders(credentials, 1_779_999_960_000)
    expect(signatureHeaders(credentials, 1_780_000_019_999)).toEqual(first)
    expect(signatureHeaders(credentials, 1_780_000_020_000)).not.toEqual(first)
  })

  it('is sent with the submit and every check, and the secret key with none of them', async () => {
    const { provider, upstream } = await open()
    upstream.delay('processing')
    await runRequest(provider)
    expect(upstream.requests).toHaveLength(3)
    for (const { headers, body } of upstream.requests) {
      expect(headers).toMatchObject(signatureHeaders(credentials, ACCOUNT.now()))
      expect(headers.authorization).toBeUndefined()
      expect(JSON.stringify(headers) + String(body)).not.toContain('sk-demo-secret')
    }
  })

  it('is computed for each request from the current time', async () => {
    let now = ACCOUNT.now()
    const { provider, upstream } = await open({}, { now: () => now })
    const { call } = await openCall()
    const answer = await provider.submit(requestOf(), call)
    now += 60_000
    if (answer.state !== 'ACCEPTED') throw new Error('not accepted')
    expect((await provider.check?.(answer.remoteId, requestOf(), call))?.state).toBe('DONE')
    const [first, second] = upstream.requests.map(({ headers }) => headers['pmock-access-token'])
    expect(first).not.toBe(second)
  })

  it('can have the header names of older pages', async () => {
    const { provider, upstream } = await open({ headerPrefix: 'wuinai' }, { headerPrefix: 'wuinai' })
    await runRequest(provider)
    expect(upstream.requests[0]?.headers['wuinai-access-key']).toBe('ak-demo')
  })

  it('is replaced by a bearer token if configured', async () => {
    const { provider, upstream } = await open({ auth: 'bearer', secretKey: undefined }, { auth: 'bearer' })
    await runRequest(provider)
    expect(upstream.requests[0]?.headers).toMatchObject({ authorization: 'Bearer ak-demo' })
    expect(upstream.requests[0]?.headers['pmock-access-token']).toBeUndefined()
  })

  it('in an error message is redacted', async () => {
    const { provider, upstream } = await open()
    const token = signatureHeaders(credentials, ACCOUNT.now())['pmock-access-token'] ?? ''
    upstream.script({ status: 200, body: { code: 400, message: `Odd token ${token}`, data: null } })
    const { call } = await openCall()
    const failure = await failureOf(provider.submit(requestOf(), call))
    expect(failure.message).toBe('pmock rejected the request: Odd token [redacted] (status 200, 400).')
    expect(String(failure.cause)).not.toContain(token)
  })
})

describe('a task', () => {
  it('is checked at the configured path, with its id escaped', async () => {
    const { provider, upstream } = await open()
    await runRequest(provider)
    expect(upstream.requests[1]?.path).toBe('/api/ai/openai/tasks?taskId=task%2F1%20%C3%A9')
    const moved = await open({ taskPath: '/v2/tasks/{id}/result' })
    moved.upstream.script('ok', taskReply({ status: 'completed', result: [{ b64_json: 'AAAA' }] }))
    await runRequest(moved.provider)
    expect(moved.upstream.requests[1]?.path).toBe('/api/ai/openai/v2/tasks/task%2F1%20%C3%A9/result')
  })

  it.each<ResultForm>(['images', 'list', 'text', 'text of a list', 'link'])(
    'has its result as %s, byte for byte',
    async (form) => {
      const { provider, upstream } = await open()
      upstream.give(form)
      const { imageBytes } = await runRequest(provider, { outputFormat: 'WEBP' })
      expect(imageBytes).toEqual(upstream.imageBytes)
      expect(imageBytes).toHaveLength(1)
    },
  )

  it('reports its usage and the resolved settings', async () => {
    const { provider } = await open()
    const { usage, resolved } = await runRequest(provider)
    expect(resolved).toEqual({ size: '1024x1536', quality: 'MEDIUM' })
    expect(usage).toEqual({
      inputTokens: 21,
      outputTokens: 1372,
      totalTokens: 1393,
      inputTextTokens: 21,
      inputImageTokens: 0,
      outputTextTokens: 0,
      outputImageTokens: 1372,
      svgInputTokens: null,
      svgOutputTokens: null,
      svgReasoningTokens: null,
      source: 'REPORTED',
    })
  })

  it('may have a result as text above the maximum of other texts', async () => {
    const { provider, upstream } = await open()
    const bytes = Buffer.alloc(6_000_000, 7)
    const result = JSON.stringify({ data: [{ b64_json: bytes.toString('base64') }] })
    upstream.script('ok', taskReply({ status: 'completed', result }))
    const { imageBytes } = await runRequest(provider)
    expect(imageBytes[0]?.equals(bytes)).toBe(true)
  })

  it('whose link is a private address is a result that is not downloaded', async () => {
    const { provider, upstream } = await open()
    const address = 'http://10.0.0.1/a.png'
    upstream.script('ok', taskReply({ status: 'completed', result: [{ url: address }] }))
    const { call } = await openCall()
    const result = await submitAndCheck(provider, requestOf(), call)
    expect(result).toMatchObject({ state: 'DONE', images: [{ url: address }] })
    expect(await downloadFailure(provider, address, call)).toBe('FORBIDDEN')
  })

  it('that failed may be charged, even with a code that leaves a submit uncharged', async () => {
    const { provider, upstream } = await open()
    upstream.script('ok', taskReply({ status: 'failed', errorCode: 400, errorMessage: 'Odd size.' }))
    const { call } = await openCall()
    const failure = await failureOf(submitAndCheck(provider, requestOf(), call))
    expect(failure).toMatchObject({ kind: 'rejected', code: 'PROVIDER_REJECTED', charged: 'UNKNOWN' })
    expect(failure.message).toBe('pmock rejected the request: Odd size (status 200, 400).')
  })

  it('that failed is uncharged with unbilledFailures', async () => {
    const failed = taskReply({ status: 'failed', errorCode: 500, errorMessage: 'The brush broke.' })
    for (const [unbilledFailures, charged] of [
      [false, 'UNKNOWN'],
      [true, 'NO'],
    ] as const) {
      const { provider, upstream } = await open({ unbilledFailures })
      upstream.script('ok', failed)
      const { call } = await openCall()
      expect(await failureOf(submitAndCheck(provider, requestOf(), call))).toMatchObject({
        kind: 'broken',
        charged,
        message: 'pmock failed: The brush broke (status 200, 500).',
        providerRequestId: 'trace-9f3a',
      })
    }
  })
})

describe('the configuration', () => {
  const keys = { accessKey: 'a', secretKey: 'b' }

  it('requires both keys for signatures, and only the access key for a bearer token', () => {
    expect(pmock.options.safeParse({ accessKey: 'a' }).error?.issues[0]?.path).toEqual(['secretKey'])
    expect(pmock.options.safeParse({ accessKey: 'a', auth: 'bearer' }).success).toBe(true)
    expect(pmock.options.parse(keys)).toEqual({
      ...keys,
      baseUrl: 'https://ai.pmock.com/api/ai/openai',
      auth: 'hmac',
      headerPrefix: 'pmock',
      taskPath: '/tasks?taskId={id}',
      responseFormat: 'b64_json',
      models: ['gpt-image-2'],
      timeoutMs: 600_000,
      concurrency: 256,
      resultTtlMs: 86_400_000,
      pollMs: 5000,
      unbilledFailures: false,
    })
  })

  it.each([
    { taskPath: '/tasks' },
    { taskPath: 'https://evil.example/{id}' },
    { headerPrefix: 'a: b' },
    { auth: 'basic' },
    { pollMs: 0 },
    { accesKey: 'typo' },
  ])('refuses %j', (entry) => {
    expect(pmock.options.safeParse({ ...keys, ...entry }).success).toBe(false)
  })

  it('comes from the environment when both keys are set', () => {
    expect(pmock.fromEnvironment({ PMOCK_ACCESS_KEY: 'a' })).toBeUndefined()
    expect(pmock.fromEnvironment({ PMOCK_ACCESS_KEY: 'a', PMOCK_SECRET_KEY: 'b' })).toEqual(keys)
    const env = { PMOCK_ACCESS_KEY: 'a', PMOCK_SECRET_KEY: 'b', PMOCK_BASE_URL: 'c' }
    expect(pmock.fromEnvironment(env)).toEqual({ ...keys, baseUrl: 'c' })
  })

  it('offers the capabilities of the page, without a price', async () => {
    const { provider } = await open()
    expect(provider.offers).toMatchObject([
      {
        model: 'gpt-image-2',
        price: null,
        capabilities: {
          operations: ['GENERATE', 'EDIT'],
          sizes: { kind: 'list', auto: true, values: ['1024x1024', '1024x1536', '1536x1024'] },
          qualities: ['AUTO', 'LOW', 'MEDIUM', 'HIGH', 'STANDARD'],
          maxN: 1,
          mask: true,
        },
      },
    ])
  })
})
