// The examples of the API pages through the public API: a mutation sends the page's own request, and the task ends with
// its image, its usage and the provider's request id.
import sharp from 'sharp'
import { expect, it, onTestFinished } from 'vitest'
import { openGateway } from '../support/gateway.ts'
import { startAcedataUpstream } from './upstreams/acedata.ts'
import { startBasicUpstream } from './upstreams/basic.ts'
import { startJimmyUpstream } from './upstreams/jimmy.ts'
import { startPmockUpstream } from './upstreams/pmock.ts'
import { startCompatUpstream } from './upstreams/pmock-compat.ts'
import type { FakeUpstream } from './upstreams/fake.ts'

const TASK = `query ($id: ID!) {
  task(id: $id) {
    status charged images { width mimeType revisedPrompt } usage { inputTokens outputTokens source }
    attempts { providerRequestId remoteId charged costMicros } warnings { field }
  }
}`

/** Runs a task at a gateway with only this provider. Returns the finished task and the upstream's request and charges. */
async function runTask(upstream: FakeUpstream, provider: object, input: Record<string, unknown>) {
  onTestFinished(() => upstream.close())
  await using gateway = await openGateway({
    providers: [{ name: 'page', baseUrl: upstream.url, ...provider }],
  })
  const id = await gateway.generate(input)
  await gateway.ended(id)
  const { task } = await gateway.get<{ task: object }>(TASK, { id })
  return { task, body: String(upstream.requests[0]?.body), charges: [...upstream.charges.values()] }
}

const prompt = 'A simple red apple on a white table, photorealistic'

it('the page of the basic dialect is sent and read', async () => {
  const upstream = await startBasicUpstream()
  const { task, body, charges } = await runTask(
    upstream,
    { dialect: 'basic', apiKey: 'basic-key' },
    { prompt },
  )
  expect(body).toBe(`{"model":"gpt-image-2","prompt":"${prompt}","size":"1024x1024","n":1}`)
  expect(task).toEqual({
    status: 'SUCCEEDED',
    charged: 'YES',
    images: [{ width: 16, mimeType: 'image/png', revisedPrompt: `${prompt}, photorealistic` }],
    usage: { inputTokens: null, outputTokens: null, source: 'UNKNOWN' },
    attempts: [{ providerRequestId: null, remoteId: null, charged: 'YES', costMicros: null }],
    warnings: [],
  })
  expect(charges).toEqual([1])
})

it('the page of the pmock dialect is sent and read', async () => {
  const accessKey = 'ak-page'
  const upstream = await startPmockUpstream({ accessKey, secretKey: '', auth: 'bearer', now: () => 0 })
  upstream.delay('processing', 'processing')
  const image = await sharp({ create: { width: 32, height: 32, channels: 4, background: '#ff000000' } })
    .png()
    .toBuffer()
  const dataUrl = `data:image/png;base64,${image.toString('base64')}`
  const { task, body, charges } = await runTask(
    upstream,
    { dialect: 'pmock', accessKey, auth: 'bearer', pollMs: 1 },
    {
      prompt,
      background: 'TRANSPARENT',
      outputFormat: 'WEBP',
      outputCompression: 73,
      inputFidelity: 'HIGH',
      images: [{ dataUrl }],
      mask: { dataUrl },
    },
  )
  expect(JSON.parse(body)).toEqual({
    prompt,
    model: 'gpt-image-2',
    size: 'auto',
    n: 1,
    quality: 'auto',
    background: 'transparent',
    outputFormat: 'webp',
    outputCompression: 73,
    moderation: 'auto',
    responseFormat: 'b64_json',
    inputFidelity: 'high',
    image: [expect.stringMatching(/^data:image\/png;base64,/)],
    mask: expect.stringMatching(/^data:image\/png;base64,/),
  })
  expect(task).toEqual({
    status: 'SUCCEEDED',
    charged: 'YES',
    images: [{ width: 16, mimeType: 'image/webp', revisedPrompt: null }],
    usage: { inputTokens: 21, outputTokens: 1372, source: 'REPORTED' },
    attempts: [{ providerRequestId: 'trace-9f3a', remoteId: 'task/1 é', charged: 'YES', costMicros: null }],
    warnings: [],
  })
  expect(charges).toEqual([1])
})

it('the page of the pmock preset is sent and read', async () => {
  const accessKey = 'ak-page'
  const upstream = await startCompatUpstream({ accessKey })
  upstream.wrap('an envelope')
  const provider = { dialect: 'openai', preset: 'pmock', apiKey: accessKey, naming: 'camel' }
  const { task, body, charges } = await runTask(upstream, provider, {
    prompt,
    size: '3840x2160',
    quality: 'STANDARD',
    moderation: 'LOW',
    user: 'user-7',
  })
  expect(body).toBe(
    `{"prompt":"${prompt}","model":"gpt-image-2","background":"auto","moderation":"low","n":1,"outputFormat":"png",` +
      '"quality":"standard","responseFormat":"b64_json","size":"3840x2160","user":"user-7"}',
  )
  expect(task).toEqual({
    status: 'SUCCEEDED',
    charged: 'YES',
    images: [{ width: 16, mimeType: 'image/png', revisedPrompt: null }],
    usage: { inputTokens: 21, outputTokens: 196, source: 'REPORTED' },
    attempts: [{ providerRequestId: 'trace-77d2', remoteId: null, charged: 'YES', costMicros: null }],
    // The images of the fake are small.
    warnings: [{ field: 'size' }],
  })
  expect(charges).toEqual([1])
})

const JIMMY = { dialect: 'jimmy', apiKey: 'jimmy-test-key', pollMs: 1 }

it('the page of the jimmy dialect is sent and read synchronously', async () => {
  const upstream = await startJimmyUpstream()
  const { task, body, charges } = await runTask(upstream, JIMMY, {
    prompt,
    size: '1024x1024',
    quality: 'HIGH',
  })
  expect(body).toBe(`{"model":"gpt-image-2","prompt":"${prompt}","size":"1024x1024","n":1,"quality":"high"}`)
  expect(task).toEqual({
    status: 'SUCCEEDED',
    charged: 'YES',
    images: [{ width: 16, mimeType: 'image/png', revisedPrompt: `${prompt}, revised` }],
    usage: { inputTokens: 18, outputTokens: 196, source: 'REPORTED' },
    attempts: [{ providerRequestId: null, remoteId: null, charged: 'YES', costMicros: null }],
    warnings: [{ field: 'size' }],
  })
  expect(charges).toEqual([1])
})

it('the page of the jimmy dialect is sent and read as a polled task', async () => {
  const upstream = await startJimmyUpstream()
  const { task, body, charges } = await runTask(upstream, JIMMY, { prompt, size: '2048x1152' })
  expect(body).toBe(`{"model":"gpt-image-2","prompt":"${prompt}","size":"16:9","resolution":"2k"}`)
  expect(task).toEqual({
    status: 'SUCCEEDED',
    charged: 'YES',
    images: [{ width: 16, mimeType: 'image/png', revisedPrompt: null }],
    usage: { inputTokens: null, outputTokens: null, source: 'UNKNOWN' },
    attempts: [{ providerRequestId: null, remoteId: 'img_1', charged: 'YES', costMicros: null }],
    warnings: [{ field: 'size' }],
  })
  expect(charges).toEqual([1])
  expect(upstream.requests.map(({ method }) => method)).toEqual(['POST', 'GET', 'GET', 'GET'])
})

const OTTER = { prompt: 'A cute baby sea otter', model: 'dall-e-3', size: '1024x1024', style: 'VIVID' }
const OTTER_BODY =
  '{"prompt":"A cute baby sea otter","model":"dall-e-3","background":"auto","moderation":"auto","n":1,' +
  '"output_compression":100,"output_format":"png","partial_images":0,"size":"1024x1024","quality":"auto",' +
  '"response_format":"url","style":"vivid"'

it.each([
  { way: 'synchronously', provider: { mode: 'sync' }, rest: /^\}$/, remoteId: null, trace: 'trace-task-1' },
  {
    way: 'as a polled task',
    provider: { mode: 'async' },
    rest: /^,"async":true,"trace_id":"att_\w+"\}$/,
    remoteId: 'task-1',
    trace: expect.stringMatching(/^att_\w+$/),
  },
  {
    way: 'with a callback',
    provider: { callbackPollMs: 600_000 },
    rest: /^,"callback_url":"http:\/\/127\.0\.0\.1:\d+\/callbacks\/[\w-]{43}","trace_id":"att_\w+"\}$/,
    remoteId: 'task-1',
    trace: expect.stringMatching(/^att_\w+$/),
  },
])('the page of the acedata dialect is sent and read $way', async ({ provider, rest, remoteId, trace }) => {
  const upstream = await startAcedataUpstream()
  const entry = { dialect: 'acedata', apiKey: 'ace-test-key', pollMs: 1, ...provider }
  const { task, body, charges } = await runTask(upstream, entry, OTTER)
  expect(body.slice(0, OTTER_BODY.length)).toBe(OTTER_BODY)
  expect(body.slice(OTTER_BODY.length)).toMatch(rest)
  expect(task).toEqual({
    status: 'SUCCEEDED',
    charged: 'YES',
    images: [{ width: 16, mimeType: 'image/png', revisedPrompt: null }],
    usage: { inputTokens: 775, outputTokens: 1372, source: 'REPORTED' },
    attempts: [{ providerRequestId: trace, remoteId, charged: 'YES', costMicros: null }],
    // The model has an end date, and the image is small.
    warnings: [{ field: 'model' }, { field: 'size' }],
  })
  expect(charges).toEqual([1])
})
