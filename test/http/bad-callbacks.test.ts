// Forged and malformed callbacks.
import { request } from 'node:http'
import { join } from 'node:path'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import BetterSqlite3 from 'better-sqlite3'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { startAcedataUpstream, type AcedataUpstream } from '../providers/upstreams/acedata.ts'
import { openGateway, type TestGateway } from '../support/gateway.ts'
import { refusalIn, unknownCodes } from './paid-server.ts'

const NEVER_MS = 600_000

describe('a callback', () => {
  let upstream: AcedataUpstream
  let server: TestGateway
  let taskId: string
  let address: string
  beforeAll(async () => {
    upstream = await startAcedataUpstream()
    upstream.scriptCallbacks('late')
    const entry = { baseUrl: upstream.url, apiKey: 'ace-test-key', callbackPollMs: NEVER_MS }
    server = await openGateway({
      providers: [{ name: 'ace', dialect: 'acedata', ...entry }],
      engine: { pollMs: 20 },
    })
    taskId = await server.generate({ prompt: 'a red fox' })
    const isAccepted = async () => JSON.stringify(await attemptOf(server, taskId)).includes('ACCEPTED')
    await vi.waitUntil(isAccepted, { timeout: 60_000 })
    address = String(upstream.requests[0]?.parameters['callback_url'])
  })
  afterAll(async () => {
    await server[Symbol.asyncDispose]()
    await upstream.close()
  })

  const unknownSecret = 'x'.repeat(43)
  it.each([
    {
      row: 'B101',
      wrong: 'to an unknown address',
      to: unknownSecret,
      status: 404,
      code: 'NOT_FOUND',
    },
    { row: 'B101', wrong: 'to an empty address', to: '', status: 404, code: 'NOT_FOUND' },
    {
      row: 'B101',
      wrong: 'to an address of 10000 characters',
      to: 'x'.repeat(10_000),
      status: 404,
      code: 'NOT_FOUND',
    },
    { row: 'B101', wrong: 'to an address with a NUL', to: '%00', status: 404, code: 'NOT_FOUND' },
    { row: 'B102', wrong: 'by GET', method: 'GET', status: 405, code: 'METHOD_NOT_ALLOWED' },
    { row: 'B103', wrong: 'that is not JSON', body: '<html>', status: 400, code: 'BAD_CALLBACK' },
    { row: 'B103', wrong: 'that is empty', body: '', status: 400, code: 'BAD_CALLBACK' },
    { row: 'B103', wrong: 'that is a list', body: '[]', status: 400, code: 'BAD_CALLBACK' },
    {
      row: 'B103',
      wrong: 'with a content-length of 65 MB',
      length: 68_157_440,
      status: 413,
      code: 'REQUEST_TOO_LARGE',
    },
    {
      row: 'B81',
      wrong: 'that is compressed',
      encoding: 'gzip',
      body: '{}',
      status: 415,
      code: 'UNSUPPORTED_MEDIA_TYPE',
    },
  ])('$wrong is refused with $status and leaves the attempt unchanged', async (row) => {
    const url = row.to === undefined ? address : address.replace(/[^/]*$/, row.to)
    const { status, body, headers } = await send(url, row)
    expect({ status, code: refusalIn(body).code }).toEqual({ status: row.status, code: row.code })
    expect(unknownCodes(body)).toEqual([])
    expect(headers['allow']).toBe(row.status === 405 ? 'POST' : undefined)
    expect(await attemptOf(server, taskId)).toEqual({ state: 'ACCEPTED', charged: 'UNKNOWN' })
  })

  it('gets the same response at every unknown address', async () => {
    const answers = ['x', 'y'.repeat(43), unknownSecret].map((secret) =>
      send(address.replace(/[^/]*$/, secret), { body: '{}' }),
    )
    const [one, ...others] = (await Promise.all(answers)).map(({ status, body }) => ({ status, body }))
    expect(one?.status).toBe(404)
    expect(others).toEqual([one, one])
  })

  it('is stored up to a length, and ten times per attempt', async () => {
    const data = 'x'.repeat(100_000)
    for (let nth = 0; nth < 15; nth++) {
      const body = JSON.stringify({ task_id: '', nth, data })
      expect((await send(address, { body })).status).toBe(200)
    }
    const database = new BetterSqlite3(join(server.place.dataDir, 'darkroom.db'))
    const query = 'select count(*) as count, max(length(body)) as longest from callbacks'
    expect(database.prepare(query).get()).toEqual({ count: 10, longest: 16_384 })
    database.close()
  })

  it('to an attempt that ended a day ago is refused with 410', async () => {
    await upstream.deliver()
    await server.ended(taskId)
    expect((await send(address, { body: '{"task_id":"x"}' })).status).toBe(200)
    const database = new BetterSqlite3(join(server.place.dataDir, 'darkroom.db'))
    database.exec('update attempts set finished_at = finished_at - 86400001')
    database.close()
    const { status, body } = await send(address, { body: '{"task_id":"x"}' })
    expect([status, refusalIn(body).code]).toEqual([410, 'GONE'])
  })
})

async function attemptOf(server: TestGateway, id: string): Promise<unknown> {
  const { task } = await server.get<{ task: { attempts: object[] } }>(
    'query ($id: ID!) { task(id: $id) { attempts { state charged } } }',
    { id },
  )
  return task.attempts[0]
}

async function send(
  url: string,
  how: { method?: string; body?: string; length?: number; encoding?: string },
) {
  const { method = 'POST', body = method === 'GET' ? undefined : '', length, encoding } = how
  const outgoing = request(url, {
    method,
    headers: {
      'content-type': 'application/json',
      ...(length === undefined ? {} : { 'content-length': length }),
      ...(encoding === undefined ? {} : { 'content-encoding': encoding }),
    },
  })
  if (length === undefined) outgoing.end(body)
  else outgoing.flushHeaders()
  const [response] = await once(outgoing, 'response')
  const reply = {
    status: response.statusCode as number,
    headers: response.headers,
    body: await text(response),
  }
  outgoing.destroy()
  return reply
}
