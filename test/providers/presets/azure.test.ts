// The preset `azure` of the `openai` dialect.
import { describe, expect, it, onTestFinished } from 'vitest'
import { dialects } from '../../../src/providers/index.ts'
import { failureOf, inputOf, openCall, requestOf, runRequest } from '../call.ts'
import { testProvider } from '../contract.ts'
import { API_VERSION, azureError, startAzureUpstream } from '../upstreams/azure.ts'

const openai = dialects.openai!
const apiKey = 'canary-azure-51d0c7'

async function open(entry: object = {}, deployments?: Record<string, string>) {
  const upstream = await startAzureUpstream({ apiKey, ...(deployments && { deployments }) })
  const options = openai.options.parse({ preset: 'azure', baseUrl: upstream.url, apiKey, ...entry })
  return { provider: openai.create('azure', options), upstream }
}

async function openForTest(entry: object = {}, deployments?: Record<string, string>) {
  const { provider, upstream } = await open(entry, deployments)
  onTestFinished(async () => {
    await provider.close()
    await upstream.close()
  })
  return { provider, upstream }
}

function parse(entry: object) {
  return openai.options.safeParse({ preset: 'azure', apiKey, ...entry })
}

testProvider('azure', {
  open: () => open({ mode: 'sync' }),
  secrets: [apiKey],
  plain: {
    path: `/openai/deployments/gpt-image-2/images/generations?api-version=${API_VERSION}`,
    body: { model: 'gpt-image-2', prompt: 'a red fox in the snow', n: 1 },
  },
  busy: azureError(429, 'RateLimitReached', 'No.'),
  rejection: (message) => azureError(400, 'invalid_value', message),
  wrongBase64: { status: 200, body: { data: [{ b64_json: '%%%%' }] } },
  results: ({ b64_json, url }) => [
    {
      json: { created: 1_698_116_662, data: [{ b64_json }], usage: { input_tokens: 21, output_tokens: 196 } },
    },
    { json: { created: 1_698_116_662, data: [{ url, revised_prompt: 'A fox.' }] } },
  ],
  failures: [
    ['a wrong key', 'refused', 'PROVIDER_MISCONFIGURED', 'NO', azureError(401, '401', 'Access denied.')],
    ['an unknown path', 'rejected', 'PROVIDER_REJECTED', 'NO', azureError(404, '404', 'Resource not found')],
    [
      'a missing deployment',
      'refused',
      'PROVIDER_MISCONFIGURED',
      'NO',
      azureError(404, 'DeploymentNotFound', 'No.'),
    ],
    [
      'a filtered prompt or image',
      'rejected',
      'MODERATION_BLOCKED',
      'UNKNOWN',
      azureError(400, 'contentFilter', 'Your task failed as a result of our safety system.'),
    ],
    [
      'a filter’s verdict with status 200',
      'rejected',
      'MODERATION_BLOCKED',
      'UNKNOWN',
      { ...azureError(200, 'contentFilter', 'Generated image was filtered.') },
    ],
    ['a timeout of the gateway', 'lost', 'OUTCOME_UNKNOWN', 'UNKNOWN', azureError(408, 'Timeout', 'No.')],
    ['a server’s failure', 'lost', 'OUTCOME_UNKNOWN', 'UNKNOWN', azureError(500, 'server_error', 'No.')],
  ],
})

describe('the preset azure', () => {
  it('sends the key as api-key only, to the deployment that the model’s entry names', async () => {
    const models = [{ name: 'gpt-image-2', upstreamModel: 'my images/1' }]
    const { provider, upstream } = await openForTest({ models }, { 'my images/1': 'gpt-image-2' })
    await runRequest(provider, { upstreamModel: 'my images/1' })
    const [request] = upstream.requests
    expect(request?.path).toBe(
      `/openai/deployments/my%20images%2F1/images/generations?api-version=${API_VERSION}`,
    )
    expect(request?.headers).toMatchObject({ 'api-key': apiKey })
    expect(request?.headers.authorization).toBeUndefined()
  })

  it('sends edits as a form to the deployment', async () => {
    const { provider, upstream } = await openForTest()
    const images = [inputOf(Buffer.from('one')), inputOf(Buffer.from('two'))]
    await runRequest(provider, { images, mask: inputOf(Buffer.from('mask')) })
    const [request] = upstream.requests
    expect(request?.path).toBe(`/openai/deployments/gpt-image-2/images/edits?api-version=${API_VERSION}`)
    expect(request?.files.map(({ field }) => field)).toEqual(['image[]', 'image[]', 'mask'])
  })

  it('streams partial images', async () => {
    const { provider, upstream } = await openForTest()
    const { reports, imageBytes } = await runRequest(provider, { partialImages: 2 })
    expect(upstream.requests[0]?.parameters).toMatchObject({ stream: true, partial_images: 2 })
    expect([reports.partials.length, imageBytes.length]).toEqual([2, 1])
  })

  it('reports a version or deployment that the resource does not have', async () => {
    const { call } = await openCall()
    for (const entry of [{ apiVersion: '2023-05-15' }, { models: ['gpt-image-9'] }]) {
      const { provider } = await openForTest(entry)
      const { kind } = await failureOf(provider.submit(requestOf({ model: provider.offers[0]!.model }), call))
      expect(kind).toBe('apiVersion' in entry ? 'rejected' : 'refused')
    }
  })

  it('requires the address of the resource, and a version that is one word', () => {
    expect(parse({}).error?.issues).toMatchObject([{ path: ['baseUrl'] }])
    const baseUrl = 'https://studio.openai.azure.com'
    expect(parse({ baseUrl, apiVersion: 'a&b' }).error?.issues).toMatchObject([{ path: ['apiVersion'] }])
    expect(parse({ baseUrl, apiVersion: 'preview' }).success).toBe(true)
  })

  it('offers what its page lists, without a price and without the dates of OpenAI', async () => {
    const { provider } = await openForTest({ models: ['gpt-image-2', 'gpt-image-1.5'] })
    expect(provider.offers).toMatchObject([
      {
        price: null,
        capabilities: { outputFormats: ['PNG', 'JPEG'], moderations: ['AUTO'], complexities: [] },
      },
      { price: null, retiresOn: null, successor: null, capabilities: { inputFidelities: ['HIGH', 'LOW'] } },
    ])
    expect('listModels' in provider).toBe(false)
  })
})
