// Invalid requests: none of them is stored, sent or charged.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { expectNothingLeft, openPaidServer, sendRaw, type PaidServer } from '../http/paid-server.ts'
import { openAgent, textOf, type Agent } from './agent.ts'

let paid: PaidServer
let agent: Agent
beforeAll(async () => {
  paid = await openPaidServer({ corsOrigins: ['https://inspector.example'] })
  agent = await openAgent(paid.server)
})
afterAll(async () => {
  await expectNothingLeft(paid)
  await agent?.[Symbol.asyncDispose]()
  await paid?.[Symbol.asyncDispose]()
})

const HEADERS = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }
const PING = { jsonrpc: '2.0', id: 1, method: 'ping' }

function post(body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${paid.server.url}/mcp`, {
    method: 'POST',
    headers: { ...HEADERS, ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
}

describe('a tool', () => {
  it.each<[what: string, tool: string, args: Record<string, unknown>, text: string | RegExp]>([
    ['no prompt', 'generate_image', {}, /^BAD_USER_INPUT: prompt: Invalid input: expected string/],
    ['an empty prompt', 'generate_image', { prompt: ' ' }, /prompt is empty\. Describe the image\.$/],
    ['NUL', 'generate_image', { prompt: 'a\0b' }, /prompt is not valid text: it contains NUL/],
    ['an unknown argument', 'generate_image', { prompt: 'a', style: 'x' }, /Unrecognized key: "style"/],
    ['an unknown quality', 'generate_image', { prompt: 'a', quality: 'best' }, /quality: .+"auto"\|"low"/],
    ['too many images', 'generate_image', { prompt: 'a', n: 11 }, /n is 11; it must be .+ 1 to 10\.$/],
    ['a bad size', 'generate_image', { prompt: 'a', size: 'big' }, /size is "big"\. Use auto, or WIDTHx/],
    ['a model', 'generate_image', { prompt: 'a', model: 'x' }, /^MODEL_UNKNOWN: .+ list_models shows/],
    [
      'a provider',
      'generate_image',
      { prompt: 'a', providers: ['x'] },
      /^PROVIDER_UNKNOWN: .+Configured: paid/,
    ],
    [
      'a transparent JPEG',
      'generate_image',
      { prompt: 'a', background: 'transparent', output_format: 'jpeg' },
      /JPEG cannot be transparent\. Use output_format PNG or WEBP\.$/,
    ],
    [
      'two keys',
      'generate_image',
      { prompt: 'a', variant: 2, idempotency_key: 'k' },
      /Pass either variant or idempotency_key/,
    ],
    [
      'a bad key',
      'generate_image',
      { prompt: 'a', idempotency_key: 'a b' },
      /idempotency_key must be 1 to 255/,
    ],
    ['no image', 'edit_image', { prompt: 'a', images: [] }, /images: Too small/],
    ['a file', 'edit_image', { prompt: 'a', images: ['./a.png'] }, /Paths of files are not read\.$/],
    ['an unknown image', 'edit_image', { prompt: 'a', images: ['img_0'] }, /There is no image "img_0"/],
    ['an unknown task', 'edit_image', { prompt: 'a', images: ['task_0'] }, /There is no task "task_0"/],
    [
      'a private address',
      'edit_image',
      { prompt: 'a', images: ['http://127.0.0.1/a.png'] },
      /^BAD_USER_INPUT: The address /,
    ],
    [
      'no image in a data URL',
      'edit_image',
      { prompt: 'a', images: [`data:image/png;base64,${'A'.repeat(8_000)}`] },
      /^BAD_USER_INPUT: /,
    ],
    ['a missing task', 'get_task', { task_id: 'task_0' }, /^NOT_FOUND: There is no task "task_0"\.$/],
    ['both', 'get_task', { task_id: 'task_0', search: 'a' }, /Pass either task_id or search\.$/],
    ['no words', 'get_task', { search: '!' }, /search has no words/],
    ['a dimension', 'get_usage', { group_by: ['colour'] }, /There is no dimension "colour"\. Use hour/],
    ['a time', 'get_usage', { from: 'yesterday' }, /from is "yesterday"; use a form such as 2026-11/],
    ['a count', 'estimate_cost', { image_count: 17 }, /image_count is 17; it must be .+ 0 to 16\.$/],
    ['another name', 'paint', {}, /There is no tool "paint"\. The tools are generate_image, edit_image/],
  ])('refuses %s with a text to act on', async (_, tool, args, text) => {
    const reply = await agent.call(tool, args)
    expect(reply.isError).toBe(true)
    expect(textOf(reply)).toMatch(text)
  })

  it('refuses arguments of 100,000 levels', async () => {
    const prompt = `${'['.repeat(100_000)}${']'.repeat(100_000)}`
    const params = `{"name":"generate_image","arguments":{"prompt":${prompt}}}`
    const response = await post(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":${params}}`)
    expect(response.status).toBe(200)
    expect(await response.text()).toContain('BAD_USER_INPUT: prompt has values in more than 8 levels')
  })

  it('refuses a prompt of a megabyte', async () => {
    const reply = await agent.call('generate_image', { prompt: 'a'.repeat(1_000_000) })
    expect(textOf(reply)).toMatch(/^BAD_USER_INPUT: prompt has 1,000,000 characters; the maximum/)
  })
})

describe('a resource', () => {
  it.each(['darkroom://images/img_0', 'darkroom://images/../x', 'file:///etc/passwd'])(
    'that does not exist is an error: %s',
    async (uri) => {
      await expect(agent.client.readResource({ uri })).rejects.toMatchObject({ code: -32002 })
    },
  )
})

describe('the endpoint', () => {
  it.each<[what: string, body: unknown, headers: Record<string, string>, status: number, rpcCode: number]>([
    ['text', 'hello', {}, 400, -32700],
    ['JSON that is no message', { hello: 1 }, {}, 400, -32700],
    ['null', 'null', {}, 400, -32700],
    ['a batch that is too long', Array.from({ length: 101 }, () => PING), {}, 400, -32600],
    ['a form', PING, { 'content-type': 'text/plain' }, 415, -32000],
    ['a client without streams', PING, { accept: 'application/json' }, 406, -32000],
    ['an unknown protocol version', PING, { 'mcp-protocol-version': '1999-01-01' }, 400, -32000],
    ['a page of another origin', PING, { origin: 'https://evil.example' }, 403, -32000],
    ['a body over 32 MiB', `"${'a'.repeat(33 * 1024 * 1024)}"`, {}, 413, -32000],
  ])('refuses %s', async (_, body, headers, status, rpcCode) => {
    const response = await post(body, headers)
    expect(response.status).toBe(status)
    const { error } = (await response.json()) as { error?: { code: number; message: string } }
    expect(error).toMatchObject({ code: rpcCode, message: expect.any(String) as string })
  })

  it('refuses a host that could be rebound', async () => {
    const { host } = new URL(paid.server.url)
    const request = `POST /mcp HTTP/1.1\r\nhost: evil.example:${host.split(':')[1]}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`
    expect(await sendRaw(paid.server.url, request)).toMatchObject({ status: 403 })
  })

  it('has no stream of its own, and no session to delete', async () => {
    for (const method of ['GET', 'DELETE', 'PUT']) {
      const response = await fetch(`${paid.server.url}/mcp`, {
        method,
        headers: { accept: 'text/event-stream' },
      })
      expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST'])
    }
    const unknown = await fetch(`${paid.server.url}/mcp`, { headers: { 'last-event-id': 'x.1' } })
    expect(unknown.status).toBe(400)
  })

  it('answers each request of a batch', async () => {
    const list = { jsonrpc: '2.0', id: 2, method: 'tools/list' }
    const unknown = { jsonrpc: '2.0', id: 3, method: 'no/method' }
    const replies = (await (await post([PING, list, unknown])).json()) as { id: number; error?: object }[]
    expect(replies.map(({ id, error }) => [id, error !== undefined])).toEqual([
      [1, false],
      [2, false],
      [3, true],
    ])
  })

  it('lets pages of a configured origin call it', async () => {
    const origin = 'https://inspector.example'
    const preflight = await fetch(`${paid.server.url}/mcp`, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST' },
    })
    expect([preflight.status, preflight.headers.get('access-control-allow-origin')]).toEqual([204, origin])
    expect(preflight.headers.get('access-control-allow-headers')).toContain('mcp-protocol-version')
    const response = await post(PING, { origin })
    expect([response.status, response.headers.get('access-control-allow-origin')]).toEqual([200, origin])
  })
})
