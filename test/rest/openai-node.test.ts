// The openai package for Node. Each case counts what the upstream was paid.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startProgram, type ClientProgram } from './client-program.ts'
import { openRestServer, type ImagesReply, type RestServer } from './rest-server.ts'

let openai: ClientProgram
let rest: RestServer
let url: string
let png: Buffer
beforeAll(async () => {
  ;[openai, rest] = await Promise.all([startProgram('rest-openai'), openRestServer()])
  url = rest.url
  png = await sharp({ create: { width: 64, height: 64, channels: 3, background: '#3a6ea5' } })
    .png()
    .toBuffer()
})
afterAll(async () => {
  await openai[Symbol.asyncDispose]()
  await rest[Symbol.asyncDispose]()
})

const file = (bytes: Buffer, name = 'image.png') => ({
  name,
  base64: bytes.toString('base64'),
  type: 'image/png',
})
const ONE = { pays: 1, tasks: 1 }
const recordedCalls = () => Object.values(rest.records().calls).reduce((sum, count) => sum + count, 0)
const TASK_ID: unknown = expect.stringMatching(/^task_/)

function callWithKey(run: string, prompt: string) {
  const options = { headers: { 'Idempotency-Key': 'order-1' } }
  return openai.call<Record<string, unknown>[]>(run, { url, params: { prompt }, options })
}

describe('openai for Node', () => {
  it('generates an image in base64', async () => {
    const params = { prompt: 'a fox', quality: 'low', size: '1024x1024' }
    const { value, requests } = await openai.call<ImagesReply>('generate', { url, params })
    const [sent] = rest.upstream.imageBytes
    expect(value).toMatchObject({ created: expect.any(Number), size: '1024x1024', output_format: 'png' })
    expect(Number.isInteger(value?.created)).toBe(true)
    expect(value?.data).toEqual([{ b64_json: sent?.toString('base64') }])
    expect(value?.usage).toMatchObject({ input_tokens: 21, output_tokens: 196, total_tokens: 217 })
    expect(requests).toHaveLength(1)
    expect(requests[0]?.reply).toMatchObject({
      'darkroom-charged': 'yes',
      'content-type': 'application/json',
    })
    expect(rest.added()).toMatchObject(ONE)
  })

  it('gets a URL that works without a key', async () => {
    const params = { prompt: 'a fox in the rain', response_format: 'url' }
    const { data } = await openai.get<ImagesReply>('generate', { url, params })
    expect(Object.keys(data[0]!)).toEqual(['url'])
    const downloaded = Buffer.from(await (await fetch(data[0]!.url!)).arrayBuffer())
    expect(downloaded.equals(rest.upstream.imageBytes.at(-1)!)).toBe(true)
    expect(rest.added()).toMatchObject(ONE)
  })

  it('edits one uploaded file, which arrives unchanged upstream', async () => {
    const params = { prompt: 'night', images: [file(png)] }
    const { data } = await openai.get<ImagesReply>('edit', { url, params })
    expect(data).toHaveLength(1)
    const { files, path } = rest.upstream.requests.at(-1)!
    expect(path).toContain('/images/edits')
    expect(files.map(({ bytes }) => bytes.equals(png))).toEqual([true])
    expect(rest.added()).toMatchObject(ONE)
  })

  it('edits a file that is read while it is sent', async () => {
    const path = join(rest.server.place.dataDir, 'streamed.png')
    await writeFile(path, png)
    const { data } = await openai.get<ImagesReply>('editFile', { url, params: { prompt: 'day', path } })
    expect(data).toHaveLength(1)
    expect(rest.added()).toMatchObject(ONE)
  })

  it('edits an earlier image by its id, without an upload', async () => {
    const { tasks } = await rest.server.get<{ tasks: { nodes: { images: { id: string }[] }[] } }>(
      '{ tasks(first: 1) { nodes { images { id } } } }',
    )
    const id = tasks.nodes[0]!.images[0]!.id
    const body = { prompt: 'a hat', images: [{ file_id: id }] }
    const { data } = await openai.get<ImagesReply>('post', { url, params: { path: '/images/edits', body } })
    expect(data).toHaveLength(1)
    expect(rest.upstream.requests.at(-1)!.files).toHaveLength(1)
    expect(rest.added()).toMatchObject(ONE)
  })

  it.each(['', '/', '/v1/', '/openai/v1'])('works with the base URL path %j', async (path) => {
    const out = await openai.call<ImagesReply>('generate', {
      url,
      params: { prompt: `a fox at ${path}` },
      client: { baseURL: `${url}${path}` },
    })
    expect(out.value?.data).toHaveLength(1)
    expect(rest.added()).toMatchObject(ONE)
  })

  it('works as AzureOpenAI', async () => {
    const params = { prompt: 'a blue fox', model: 'gpt-image-2' }
    const out = await openai.call<ImagesReply>('generate', { url, params, azure: true })
    expect(out.value?.data).toHaveLength(1)
    expect(new URL(out.requests[0]!.url).pathname).toBe('/openai/deployments/gpt-image-2/images/generations')
    expect(out.requests[0]!.headers).toMatchObject({ 'api-key': 'test' })
    expect(rest.added()).toMatchObject(ONE)
  })

  it('lists models, and finds one', async () => {
    const models = await openai.get<{ id: string; object: string; created: number }[]>('models', { url })
    expect(models.map(({ id }) => id)).toContain('gpt-image-2')
    expect(models.every(({ object, created }) => object === 'model' && Number.isInteger(created))).toBe(true)
    const params = { id: 'gpt-image-2' }
    expect(await openai.get('model', { url, params })).toMatchObject({ id: 'gpt-image-2' })
    for (const id of ['nope', 'a/b']) {
      const { error } = await openai.call('model', { url, params: { id } })
      expect(error).toMatchObject({ name: 'NotFoundError', code: 'model_not_found', param: 'model' })
    }
    expect(rest.added()).toMatchObject({ pays: 0, tasks: 0 })
  })

  it('hears once that variations are retired', async () => {
    const out = await openai.call('post', { url, params: { path: '/images/variations', body: { n: 1 } } })
    expect(out.error).toMatchObject({ status: 410, code: 'endpoint_retired' })
    expect(out.requests).toHaveLength(1)
    expect(rest.added()).toMatchObject({ pays: 0, tasks: 0 })
  })

  it('streams a completed image with its usage', async () => {
    const events = await openai.get<Record<string, unknown>[]>('generateStream', {
      url,
      params: { prompt: 'a fox on a hill' },
    })
    expect(events.map(({ type }) => type)).toEqual(['image_generation.completed'])
    expect(events[0]).toMatchObject({ usage: { total_tokens: 217 }, image_index: 0 })
    expect(rest.added()).toMatchObject(ONE)
  })

  it.each([
    ['generateStream', 'APIError'],
    ['generate', 'BadRequestError'],
  ])('throws what moderation says to %s, without a second request', async (run, name) => {
    const error = { message: 'Blocked.', type: 'image_generation_user_error', code: 'moderation_blocked' }
    rest.upstream.script({ status: 400, body: { error } })
    const out = await openai.call(run, { url, params: { prompt: `bad for ${run}` } })
    expect(out.error).toMatchObject({ name, code: 'moderation_blocked' })
    expect(out.requests).toHaveLength(1)
    expect(rest.added()).toMatchObject({ pays: 0, tasks: 1 })
  })

  it('streams previews before the image', async () => {
    await using sandbox = await openRestServer({
      providers: [{ name: 'sandbox', dialect: 'sandbox', durationMs: 100 }],
    })
    const params = { prompt: 'a fox', partial_images: 2 }
    const events = await openai.get<Record<string, unknown>[]>('generateStream', { url: sandbox.url, params })
    expect(events.map(({ type, partial_image_index: index }) => [type, index])).toEqual([
      ['image_generation.partial_image', 0],
      ['image_generation.partial_image', 1],
      ['image_generation.completed', undefined],
    ])
    expect(sandbox.records().tasks).toBe(1)
  })

  it('sends the same task for the same idempotency key, in another form as well', async () => {
    const before = recordedCalls()
    const both = [await callWithKey('generate', 'one key'), await callWithKey('generate', 'one key')]
    const replies = both.map(({ requests }) => requests.map(({ reply }) => reply))
    expect(replies).toMatchObject([
      [{ 'darkroom-task-id': TASK_ID }],
      [{ 'darkroom-replayed': 'idempotency' }],
    ])
    expect(replies[1]?.[0]?.['darkroom-task-id']).toBe(replies[0]?.[0]?.['darkroom-task-id'])
    const other = await callWithKey('generate', 'another prompt')
    expect(other.error).toMatchObject({ status: 422, code: 'idempotency_key_reused' })
    expect(other.requests).toHaveLength(1)
    const streamed = await callWithKey('generateStream', 'one key')
    expect(streamed.value?.map(({ type }) => type)).toEqual(['image_generation.completed'])
    expect(streamed.requests.map(({ reply }) => reply?.['darkroom-task-id'])).toEqual([
      replies[0]?.[0]?.['darkroom-task-id'],
    ])
    expect(rest.added()).toMatchObject(ONE)
    // The key finds the task, so no call is recorded.
    expect(recordedCalls()).toBe(before)
  })

  it('gets warnings for what has no effect, and errors if it asks for them', async () => {
    const params = {
      prompt: 'plain',
      output_compression: 100,
      output_format: 'png',
      user: '',
      style: 'vivid',
      colour: 1,
    }
    const { warnings } = await openai.get<ImagesReply>('generate', { url, params })
    expect(warnings?.map(({ code, field }) => [code, field])).toEqual([
      ['UNKNOWN_FIELD', 'colour'],
      ['SETTING_IGNORED', 'style'],
    ])
    expect(rest.added()).toMatchObject(ONE)
    const strict = { headers: { 'Darkroom-Unsupported': 'error' } }
    for (const wrong of [{ colour: 1 }, { style: 'vivid' }, { output_format: 'svg' }]) {
      const out = await openai.call('generate', { url, params: { prompt: 'x', ...wrong }, options: strict })
      expect([out.error?.status, out.error?.param]).toEqual([400, Object.keys(wrong)[0]])
    }
    const svg = await openai.call('generate', { url, params: { prompt: 'x', output_format: 'svg' } })
    expect(svg.error).toMatchObject({ status: 400, code: 'unsupported_value', param: 'output_format' })
    expect(rest.added()).toMatchObject({ pays: 0, tasks: 0 })
  })
})
