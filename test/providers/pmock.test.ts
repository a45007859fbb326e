import { describe, expect, onTestFinished, test } from 'vitest'
import { createPmock, pmock } from '../../src/providers/pmock/pmock.ts'
import { signatureHeaders } from '../../src/providers/pmock/signature.ts'
import type { ProviderRequest } from '../../src/providers/provider.ts'
import { ask, develop, failureOf, inputOf, openCall, orderOf } from './call.ts'
import { startPmockUpstream, taskReply, type PmockAccount, type ResultForm } from './upstreams/pmock.ts'

const ACCOUNT: PmockAccount = {
  accessKey: 'ak-demo',
  secretKey: 'sk-demo-secret',
  // Fifteen seconds into the minute of the signature below.
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
  const order: Partial<ProviderRequest> = {
    prompt: '<string>',
    background: 'TRANSPARENT',
    outputCompression: 73,
    inputFidelity: 'HIGH',
    images: [inputOf(Buffer.from('picture'))],
    mask: inputOf(Buffer.from('mask')),
  }

  test('is what is sent: every field of it, in its order, byte by byte', async () => {
    const { provider, upstream } = await open({ responseFormat: 'url' })
    const { call } = await openCall()
    await provider.submit(orderOf(order), call)
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
      image: [url('picture')],
      mask: url('mask'),
    }
    const [request] = upstream.requests
    expect(`${request?.method} ${request?.path}`).toBe('POST /api/ai/openai/images/generate')
    expect(request?.headers).toMatchObject({ 'content-type': 'application/json', 'idempotency-key': 'att_1' })
    expect(String(request?.body)).toBe(JSON.stringify(page))
  })

  test('without images is a generation, with nothing of an edit', async () => {
    const { provider, upstream } = await open()
    await develop(provider)
    expect(String(upstream.requests[0]?.body)).toBe(
      '{"prompt":"a red fox in the snow","model":"gpt-image-2","size":"auto","n":1,"quality":"auto",' +
        '"background":"auto","outputFormat":"png","moderation":"auto","responseFormat":"b64_json"}',
    )
  })

  test('is answered with a task id, and a trace id that is told', async () => {
    const { provider } = await open({ pollMs: 1234 })
    const { call, heard } = await openCall()
    const answer = await provider.submit(orderOf(), call)
    expect(answer).toEqual({ state: 'ACCEPTED', remoteId: 'task/1 é', checkAfterMs: 1234 })
    expect(heard.requestIds).toEqual(['trace-9f3a'])
  })

  test('takes several images, each with its own type', async () => {
    const { provider, upstream } = await open()
    const images = [inputOf(Buffer.from('one'), 'image/jpeg'), inputOf(Buffer.from('two'), 'image/webp')]
    await develop(provider, { images })
    expect(upstream.requests[0]?.parameters.image).toEqual([
      'data:image/jpeg;base64,b25l',
      'data:image/webp;base64,dHdv',
    ])
    expect(upstream.requests[0]?.parameters.mask).toBeUndefined()
  })
})

describe('a signature', () => {
  const credentials = { ...ACCOUNT, headerPrefix: 'pmock' }

  test('is an HMAC over the access key and the minute', () => {
    expect(signatureHeaders(credentials, 1_779_999_960_000)).toEqual({
      'pmock-access-key': 'ak-demo',
      'pmock-access-token': 'U2Fz7XKRofFETSHGHLnJ5Qg4+ohmub2ZL6oy98m+wXU=',
    })
  })

  test('is the same for the whole minute, and another in the next', () => {
    const first = signatureHeaders(credentials, 1_779_999_960_000)
    expect(signatureHeaders(credentials, 1_780_000_019_999)).toEqual(first)
    expect(signatureHeaders(credentials, 1_780_000_020_000)).not.toEqual(first)
  })

  test('goes with the order and with every question, and the secret key with none', async () => {
    const { provider, upstream } = await open()
    upstream.delay('processing')
    await develop(provider)
    expect(upstream.requests).toHaveLength(3)
    for (const { headers, body } of upstream.requests) {
      expect(headers).toMatchObject(signatureHeaders(credentials, ACCOUNT.now()))
      expect(headers.authorization).toBeUndefined()
      expect(JSON.stringify(headers) + String(body)).not.toContain('sk-demo-secret')
    }
  })

  test('is made anew for each request, by the clock', async () => {
    let now = ACCOUNT.now()
    const { provider, upstream } = await open({}, { now: () => now })
    const { call } = await openCall()
    const answer = await provider.submit(orderOf(), call)
    now += 60_000
    if (answer.state !== 'ACCEPTED') throw new Error('not accepted')
    expect((await provider.check?.(answer.remoteId, orderOf(), call))?.state).toBe('DONE')
    const [first, second] = upstream.requests.map(({ headers }) => headers['pmock-access-token'])
    expect(first).not.toBe(second)
  })

  test('can have the header names of older pages', async () => {
    const { provider, upstream } = await open({ headerPrefix: 'wuinai' }, { headerPrefix: 'wuinai' })
    await develop(provider)
    expect(upstream.requests[0]?.headers['wuinai-access-key']).toBe('ak-demo')
  })

  test('gives way to a bearer token where that is configured', async () => {
    const { provider, upstream } = await open({ auth: 'bearer', secretKey: undefined }, { auth: 'bearer' })
    await develop(provider)
    expect(upstream.requests[0]?.headers).toMatchObject({ authorization: 'Bearer ak-demo' })
    expect(upstream.requests[0]?.headers['pmock-access-token']).toBeUndefined()
  })

  test('that comes back in an error is not shown', async () => {
    const { provider, upstream } = await open()
    const token = signatureHeaders(credentials, ACCOUNT.now())['pmock-access-token'] ?? ''
    upstream.script({ status: 200, body: { code: 400, message: `Odd token ${token}`, data: null } })
    const { call } = await openCall()
    const failure = await failureOf(provider.submit(orderOf(), call))
    expect(failure.message).toBe('pmock rejected the request: Odd token [redacted] (status 200, 400).')
    expect(String(failure.cause)).not.toContain(token)
  })
})

describe('a task', () => {
  test('is asked about at the configured path, its id escaped', async () => {
    const { provider, upstream } = await open()
    await develop(provider)
    expect(upstream.requests[1]?.path).toBe('/api/ai/openai/tasks?taskId=task%2F1%20%C3%A9')
    const moved = await open({ taskPath: '/v2/tasks/{id}/result' })
    moved.upstream.script('ok', taskReply({ status: 'completed', result: [{ b64_json: 'AAAA' }] }))
    await develop(moved.provider)
    expect(moved.upstream.requests[1]?.path).toBe('/api/ai/openai/v2/tasks/task%2F1%20%C3%A9/result')
  })

  test.each<ResultForm>(['images', 'list', 'text', 'text of a list', 'link'])(
    'gives its result as %s, byte for byte',
    async (form) => {
      const { provider, upstream } = await open()
      upstream.give(form)
      const { pictures } = await develop(provider, { outputFormat: 'WEBP' })
      expect(pictures).toEqual(upstream.pictures)
      expect(pictures).toHaveLength(1)
    },
  )

  test('tells its usage and what was chosen', async () => {
    const { provider } = await open()
    const { usage, resolved } = await develop(provider)
    expect(resolved).toEqual({ size: '1024x1536', quality: 'MEDIUM' })
    expect(usage).toEqual({
      inputTokens: 21,
      outputTokens: 1372,
      totalTokens: 1393,
      inputTextTokens: 21,
      inputImageTokens: 0,
      outputTextTokens: 0,
      outputImageTokens: 1372,
      source: 'REPORTED',
    })
  })

  test('larger than any text may be is still read from a text', async () => {
    const { provider, upstream } = await open()
    const bytes = Buffer.alloc(6_000_000, 7)
    const result = JSON.stringify({ data: [{ b64_json: bytes.toString('base64') }] })
    upstream.script('ok', taskReply({ status: 'completed', result }))
    const { pictures } = await develop(provider)
    expect(pictures[0]?.equals(bytes)).toBe(true)
  })

  test('whose link leads to a private address has failed, and counts as paid', async () => {
    const { provider, upstream } = await open()
    upstream.script('ok', taskReply({ status: 'completed', result: [{ url: 'http://10.0.0.1/a.png' }] }))
    const { call } = await openCall()
    const failure = await failureOf(ask(provider, orderOf(), call))
    expect(failure).toMatchObject({ kind: 'broken', code: 'RESULT_UNREACHABLE', charged: 'YES' })
  })

  test('that has failed may be charged, even where a submit with its code would not be', async () => {
    const { provider, upstream } = await open()
    upstream.script('ok', taskReply({ status: 'failed', errorCode: 400, errorMessage: 'Odd size.' }))
    const { call } = await openCall()
    const failure = await failureOf(ask(provider, orderOf(), call))
    expect(failure).toMatchObject({ kind: 'rejected', code: 'PROVIDER_REJECTED', charged: 'UNKNOWN' })
    expect(failure.message).toBe('pmock rejected the request: Odd size (status 200, 400).')
  })

  test('that has failed is uncharged where the operator vouches for it', async () => {
    const failed = taskReply({ status: 'failed', errorCode: 500, errorMessage: 'The brush broke.' })
    for (const [unbilledFailures, charged] of [
      [false, 'UNKNOWN'],
      [true, 'NO'],
    ] as const) {
      const { provider, upstream } = await open({ unbilledFailures })
      upstream.script('ok', failed)
      const { call } = await openCall()
      expect(await failureOf(ask(provider, orderOf(), call))).toMatchObject({
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

  test('needs both keys for signatures, and the access key alone for a bearer token', () => {
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
      pollMs: 5000,
      unbilledFailures: false,
    })
  })

  test.each([
    { taskPath: '/tasks' },
    { taskPath: 'https://evil.example/{id}' },
    { headerPrefix: 'a: b' },
    { auth: 'basic' },
    { pollMs: 0 },
    { accesKey: 'typo' },
  ])('refuses %j', (entry) => {
    expect(pmock.options.safeParse({ ...keys, ...entry }).success).toBe(false)
  })

  test('comes from the environment when both keys are there', () => {
    expect(pmock.fromEnvironment({ PMOCK_ACCESS_KEY: 'a' })).toBeUndefined()
    expect(pmock.fromEnvironment({ PMOCK_ACCESS_KEY: 'a', PMOCK_SECRET_KEY: 'b' })).toEqual(keys)
    const env = { PMOCK_ACCESS_KEY: 'a', PMOCK_SECRET_KEY: 'b', PMOCK_BASE_URL: 'c' }
    expect(pmock.fromEnvironment(env)).toEqual({ ...keys, baseUrl: 'c' })
  })

  test('offers what the page lists, and no price', async () => {
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
