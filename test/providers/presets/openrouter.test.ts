// The preset `openrouter` of the `openai` dialect.
import { describe, expect, it, onTestFinished } from 'vitest'
import { dialects } from '../../../src/providers/index.ts'
import { failureOf, inputOf, openCall, requestOf, runRequest } from '../call.ts'
import { testProvider } from '../contract.ts'
import { openrouterError, startOpenrouterUpstream, usageOf } from '../upstreams/openrouter.ts'

const openai = dialects.openai!
const apiKey = 'canary-openrouter-93be20'
const MODEL = { name: 'gpt-image-2', upstreamModel: 'openai/gpt-image-2' }

async function open(entry: object = {}) {
  const upstream = await startOpenrouterUpstream({ apiKey })
  const options = openai.options.parse({ preset: 'openrouter', baseUrl: upstream.url, apiKey, ...entry })
  return { provider: openai.create('openrouter', options), upstream }
}

async function openForTest(entry: object = {}) {
  const { provider, upstream } = await open(entry)
  onTestFinished(async () => {
    await provider.close()
    await upstream.close()
  })
  const submit: typeof provider.submit = (request, call) =>
    provider.submit({ ...request, upstreamModel: MODEL.upstreamModel }, call)
  return { provider: { ...provider, submit }, upstream }
}

const flagged = { reasons: ['violence'], flagged_input: 'a fox', provider_name: 'OpenAI', model_slug: 'x' }

testProvider('openrouter', {
  open: () => open(),
  secrets: [apiKey],
  givesNoRequestId: true,
  plain: {
    path: '/api/v1/images',
    body: { model: 'openai/gpt-image-2', prompt: 'a red fox in the snow', n: 1, output_format: 'png' },
  },
  busy: openrouterError(429, 'No.'),
  rejection: (message) => openrouterError(400, message),
  wrongBase64: { status: 200, body: { data: [{ b64_json: '%%%%' }] } },
  results: ({ b64_json }) => [
    { json: { created: 1_748_372_400, data: [{ b64_json, media_type: 'image/png' }], usage: usageOf(1) } },
  ],
  failures: [
    ['a wrong key', 'refused', 'PROVIDER_MISCONFIGURED', 'NO', openrouterError(401, 'No.')],
    ['an empty balance', 'refused', 'PROVIDER_QUOTA', 'NO', openrouterError(402, 'No.')],
    ['a flagged prompt', 'rejected', 'MODERATION_BLOCKED', 'NO', openrouterError(403, 'No.', flagged)],
    ['a key without permission', 'refused', 'PROVIDER_MISCONFIGURED', 'NO', openrouterError(403, 'No.')],
    ['a timeout', 'lost', 'OUTCOME_UNKNOWN', 'UNKNOWN', openrouterError(408, 'No.')],
    ['a failed model', 'lost', 'OUTCOME_UNKNOWN', 'UNKNOWN', openrouterError(502, 'No.')],
    ['no provider', 'lost', 'OUTCOME_UNKNOWN', 'UNKNOWN', openrouterError(503, 'No.')],
    ['an overloaded provider', 'lost', 'OUTCOME_UNKNOWN', 'UNKNOWN', openrouterError(529, 'No.')],
    [
      'an error after the model started',
      'lost',
      'OUTCOME_UNKNOWN',
      'UNKNOWN',
      { ...openrouterError(502, 'No.'), status: 200 },
    ],
  ],
})

describe('the preset openrouter', () => {
  it('sends input images as references, to the same path', async () => {
    const { provider, upstream } = await openForTest()
    await runRequest(provider, { images: [inputOf(Buffer.from('input'))], size: '1536x1024' })
    expect(upstream.requests[0]?.path).toBe('/api/v1/images')
    const url = `data:image/png;base64,${Buffer.from('input').toString('base64')}`
    expect(upstream.requests[0]?.parameters).toMatchObject({
      size: '1536x1024',
      input_references: [{ type: 'image_url', image_url: { url } }],
    })
  })

  it('passes the parameters on that the entry allows', async () => {
    const { provider, upstream } = await openForTest({ extra: ['seed', 'provider'] })
    const extra = { seed: 7, provider: { options: { openai: { moderation: 'low' } } } }
    await runRequest(provider, { extra })
    expect(upstream.requests[0]?.parameters).toMatchObject(extra)
  })

  it('reads usage under the names of the chat API', async () => {
    const { provider } = await openForTest()
    const { usage } = await runRequest(provider)
    expect(usage).toMatchObject({
      inputTokens: 21,
      outputTokens: 196,
      outputImageTokens: 196,
      source: 'REPORTED',
    })
  })

  it('reads a stream, with its comments and its end', async () => {
    const { provider, upstream } = await openForTest()
    const { imageBytes, usage } = await runRequest(provider, { partialImages: 1 })
    expect(upstream.requests[0]?.parameters).toMatchObject({ stream: true })
    expect(imageBytes).toEqual(upstream.imageBytes)
    expect(usage.outputTokens).toBe(196)
  })

  it('reads partial images and an error of a stream', async () => {
    const { provider, upstream } = await openForTest()
    const partial = { type: 'image_generation.partial_image', b64_json: 'AAAA', partial_image_index: 0 }
    const text = { type: 'image_generation.text_chunk', text: 'A fox.' }
    const error = { type: 'error', error: { code: 'moderation_blocked', message: 'No.' } }
    const body = [partial, text, error].map((event) => `data: ${JSON.stringify(event)}\n\n`).join('')
    upstream.script({ status: 200, headers: { 'content-type': 'text/event-stream' }, body })
    const { call, reports } = await openCall()
    const failure = await failureOf(provider.submit(requestOf({ partialImages: 1 }), call))
    expect(failure).toMatchObject({ code: 'MODERATION_BLOCKED', charged: 'UNKNOWN' })
    expect(reports.partials).toHaveLength(1)
  })

  it('offers what its page lists, and lists the models of the service', async () => {
    const { provider } = await openForTest()
    expect(provider.offers).toMatchObject([
      {
        model: 'gpt-image-2',
        upstreamModel: 'openai/gpt-image-2',
        price: null,
        capabilities: { mask: false },
      },
    ])
    const listed = await provider.listModels!({ signal: AbortSignal.timeout(5_000) })
    expect(listed.map(({ upstreamModel }) => upstreamModel)).toEqual([
      'openai/gpt-image-2',
      'bytedance-seed/seedream-4.5',
    ])
  })
})
