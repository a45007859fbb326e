// What clients send that cannot run here, what they require, and every refusal in OpenAI's form.
import { once } from 'node:events'
import { request as httpRequest } from 'node:http'
import { text } from 'node:stream/consumers'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sendRaw } from '../http/paid-server.ts'
import { decodeAsOpenaiPython } from './openai-decoder.ts'
import { openRestServer, post, type ImagesReply, type RestServer } from './rest-server.ts'

let rest: RestServer
let url: string
let png: Buffer
beforeAll(async () => {
  rest = await openRestServer({ corsOrigins: ['https://app.example.com'] })
  url = rest.url
  png = await sharp({ create: { width: 64, height: 64, channels: 3, background: '#3a6ea5' } })
    .png()
    .toBuffer()
})
afterAll(() => rest[Symbol.asyncDispose]())

interface Part {
  name: string
  type?: string
  fileName?: string
  body: string | Buffer
}

/** Each SDK writes other headers of a part. */
async function sendForm(path: string, parts: Part[]): Promise<{ status: number; body: string }> {
  const boundary = 'a-boundary'
  const chunks = parts.flatMap(({ name, type, fileName, body }) => [
    `--${boundary}\r\ncontent-disposition: form-data; name="${name}"`,
    fileName === undefined ? '' : `; filename="${fileName}"`,
    type === undefined ? '' : `\r\ncontent-type: ${type}`,
    '\r\n\r\n',
    body,
    '\r\n',
  ])
  const request = httpRequest(`${url}${path}`, {
    method: 'POST',
    headers: { authorization: 'Bearer test', 'content-type': `multipart/form-data; boundary=${boundary}` },
  })
  // In chunks, without a length.
  for (const chunk of [...chunks, `--${boundary}--\r\n`]) request.write(chunk)
  request.end()
  const [response] = await once(request, 'response')
  return { status: response.statusCode, body: await text(response) }
}

describe('openai-java', () => {
  it('generates as in the example of pmock, and finds all that it requires', async () => {
    const response = await post(
      url,
      { prompt: 'a cute cat', response_format: 'b64_json' },
      {
        headers: {
          'x-stainless-lang': 'java',
          'x-stainless-retry-count': '0',
          'x-stainless-read-timeout': '600',
        },
      },
    )
    expect(response.headers.get('content-type')).toBe('application/json')
    const body: ImagesReply = await response.json()
    // ImagesResponse.created is required, and Usage with its details once it is there.
    expect(Number.isInteger(body.created)).toBe(true)
    expect(body.usage).toEqual({
      input_tokens: 21,
      output_tokens: 196,
      total_tokens: 217,
      input_tokens_details: { text_tokens: 21, image_tokens: 0 },
      output_tokens_details: { text_tokens: 0, image_tokens: 196 },
    })
    expect(body.data.map((image) => Object.keys(image))).toEqual([['b64_json']])
    expect(Buffer.byteLength(JSON.stringify(body))).toBeLessThanOrEqual(
      Number(response.headers.get('content-length')),
    )
    expect(rest.added()).toMatchObject({ pays: 1, tasks: 1 })
  })

  it('edits with files that have no name, and text parts that have a type', async () => {
    const type = 'text/plain; charset=utf-8'
    const { status, body } = await sendForm('/v1/images/edits', [
      { name: 'image[]', type: 'application/octet-stream', body: png },
      { name: 'image[]', type: 'image/png', body: png },
      { name: 'prompt', type, body: 'two hats' },
      { name: 'n', type, body: '1' },
      { name: 'stream', type, body: 'false' },
    ])
    expect([status, JSON.parse(body).error]).toEqual([200, undefined])
    expect(rest.upstream.requests.at(-1)?.files).toHaveLength(2)
    expect(rest.added()).toMatchObject({ pays: 1, tasks: 1 })
  })
})

describe('openai-go', () => {
  it('edits with repeated files of no type, all of which arrive', async () => {
    const parts = [anonymous(png), anonymous(png), anonymous(png), { name: 'prompt', body: 'three hats' }]
    expect((await sendForm('/v1/images/edits', parts)).status).toBe(200)
    expect(rest.upstream.requests.at(-1)?.files).toHaveLength(3)
    expect(rest.added()).toMatchObject({ pays: 1, tasks: 1 })
  })

  it('reads which parameter has the image that is none', async () => {
    const parts = [anonymous(Buffer.from('no image')), { name: 'prompt', body: 'a hat' }]
    const { status, body } = await sendForm('/v1/images/edits', parts)
    expect(status).toBe(400)
    expect(JSON.parse(body)).toMatchObject({ error: { param: 'image', type: 'invalid_request_error' } })
    const none = await sendForm('/v1/images/edits', [{ name: 'prompt', body: 'a hat' }])
    expect(JSON.parse(none.body)).toMatchObject({
      error: { code: 'missing_required_parameter', param: 'image' },
    })
    expect(rest.added()).toMatchObject({ pays: 0, tasks: 0 })
  })
})

describe('a stream', () => {
  it('is read by the decoder of openai-python, and splits usage over its images', async () => {
    const response = await post(url, { prompt: 'three', stream: true, n: 3 })
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8')
    const { events, comments } = decodeAsOpenaiPython(await response.text())
    expect(comments).toBeGreaterThan(0)
    expect(events.map(({ event }) => event)).toEqual(Array(3).fill('image_generation.completed'))
    expect(events.every(({ data }) => !('error' in data))).toBe(true)
    const totals = events.map(({ data }) => (data['usage'] as { total_tokens: number }).total_tokens)
    const { usage }: ImagesReply = await (
      await post(url, { prompt: 'three', n: 3 }, { headers: { 'darkroom-fresh': '1' } })
    ).json()
    expect(totals.reduce((sum, one) => sum + one, 0)).toBe(usage?.total_tokens)
  })

  it('ends with an error frame for a request that moderation refuses, and as JSON without stream', async () => {
    const blocked = {
      status: 400,
      body: {
        error: { message: 'Blocked.', type: 'image_generation_user_error', code: 'moderation_blocked' },
      },
    }
    rest.upstream.script(blocked, blocked)
    rest.added()
    const stream = await (await post(url, { prompt: 'bad', stream: true })).text()
    const { events } = decodeAsOpenaiPython(stream)
    expect(events).toMatchObject([{ event: 'error', data: { error: { code: 'moderation_blocked' } } }])
    const plain = await post(url, { prompt: 'bad' })
    expect([plain.status, plain.headers.get('x-should-retry')]).toEqual([400, 'false'])
    expect(await plain.json()).toMatchObject({ error: { code: 'moderation_blocked' } })
    expect(rest.added()).toMatchObject({ pays: 0, tasks: 2 })
  })
})

describe('every refusal', () => {
  const ROWS: [what: string, request: () => Promise<Response>, status: number, code: string][] = [
    ['no key', () => fetch(`${url}/v1/models`), 401, 'invalid_api_key'],
    ['two keys', () => get('/v1/models', { 'api-key': 'other' }), 401, 'invalid_api_key'],
    ['an unknown path', () => get('/v1/chat/completions'), 404, 'unknown_url'],
    ['a doubled prefix', () => get('/v1/v1/models'), 404, 'unknown_url'],
    ['an unknown task', () => get('/v1/images/tasks/task_1'), 404, 'not_found'],
    ['a wrong method', () => get('/v1/images/generations'), 405, 'method_not_allowed'],
    [
      'a text body',
      () => post(url, {}, { headers: { 'content-type': 'text/plain' } }),
      415,
      'unsupported_media_type',
    ],
    [
      'a compressed body',
      () => post(url, {}, { headers: { 'content-encoding': 'gzip' } }),
      415,
      'unsupported_media_type',
    ],
    ['a body that is no object', () => postText('[1]'), 400, 'invalid_request'],
    ['no prompt', () => post(url, { prompt: ' ' }), 400, 'missing_required_parameter'],
    ['a wrong size', () => post(url, { prompt: 'a', size: 'big' }), 400, 'invalid_value'],
    ['a wrong n', () => post(url, { prompt: 'a', n: 11 }), 400, 'invalid_value'],
    ['a text as n', () => post(url, { prompt: 'a', n: '2' }), 400, 'invalid_value'],
    ['an unknown model', () => post(url, { prompt: 'a', model: 'x' }), 404, 'model_not_found'],
    [
      'an image in a generation',
      () => post(url, { prompt: 'a', image: 'img_1' }),
      400,
      'unsupported_parameter',
    ],
    ['a foreign file', () => edit({ images: [{ file_id: 'file-1' }] }), 400, 'invalid_value'],
    ['a body over the limit', () => postText('x'.repeat(33 * 1024 * 1024)), 413, 'request_too_large'],
    ['variations', () => post(url, {}, { path: '/v1/images/variations' }), 410, 'endpoint_retired'],
  ]

  it.each(ROWS)('has the form of OpenAI: %s', async (_, send, status, code) => {
    rest.added()
    const response = await send()
    expect(await response.json()).toMatchObject({
      error: {
        message: expect.any(String),
        type: expect.any(String),
        code,
        param: expect.toSatisfy(isParam),
      },
    })
    expect([response.status, response.headers.get('x-should-retry')]).toEqual([status, 'false'])
    expect(rest.added()).toMatchObject({ pays: 0, tasks: 0 })
  })

  it('has it also before the path is known', async () => {
    const header = 'x'.repeat(17_000)
    const tooLong = await sendRaw(url, `GET /v1/models HTTP/1.1\r\nhost: localhost\r\nx: ${header}\r\n\r\n`)
    expect(tooLong.status).toBe(431)
    expect(JSON.parse(tooLong.body)).toMatchObject({ error: { type: 'invalid_request_error', param: null } })
    expect(tooLong.head).toContain('x-should-retry: false')
    const badHost = await sendRaw(
      url,
      'GET /v1/models HTTP/1.1\r\nhost: evil.example.com\r\nauthorization: Bearer x\r\nconnection: close\r\n\r\n',
    )
    expect(badHost.status).toBe(403)
    expect(badHost.head).toContain('x-should-retry: false')
    expect(badHost.body).toContain('host_not_allowed')
  })
})

describe('a browser', () => {
  it('may call from a configured origin, with the headers that its SDK sends', async () => {
    const allowed = await preflight('https://app.example.com')
    expect(allowed.status).toBe(204)
    expect(allowed.headers.get('access-control-allow-headers')).toBe('authorization,x-stainless-os')
    const other = await preflight('https://evil.example.com')
    expect(other.headers.get('access-control-allow-origin')).toBeNull()
  })
})

describe('a result of ten large images', () => {
  it('has the announced length', async () => {
    const response = await post(url, { prompt: 'ten', n: 10, size: '1024x1024' })
    const length = Number(response.headers.get('content-length'))
    const body = await response.arrayBuffer()
    expect(body.byteLength).toBe(length)
    expect((JSON.parse(Buffer.from(body).toString()) as ImagesReply).data).toHaveLength(10)
  })
})

function anonymous(body: Buffer): Part {
  return { name: 'image[]', fileName: 'anonymous_file', type: 'application/octet-stream', body }
}

function isParam(value: unknown): boolean {
  return value === null || typeof value === 'string'
}

function get(path: string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${url}${path}`, { headers: { authorization: 'Bearer test', ...headers } })
}

function edit(body: object): Promise<Response> {
  return post(url, { prompt: 'a', ...body }, { path: '/v1/images/edits' })
}

function postText(body: string): Promise<Response> {
  const headers = { authorization: 'Bearer test', 'content-type': 'application/json' }
  return fetch(`${url}/v1/images/generations`, { method: 'POST', headers, body })
}

function preflight(origin: string): Promise<Response> {
  return fetch(`${url}/v1/images/generations`, {
    method: 'OPTIONS',
    headers: {
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization,x-stainless-os',
    },
  })
}
