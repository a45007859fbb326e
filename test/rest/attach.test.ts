// Requests that repeat a call: what they receive, and what is paid.
import { on, once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { DEFAULT_PROJECT } from '../../src/db/access/projects.ts'
import { startProgram, type ClientProgram } from './client-program.ts'
import { openRestServer, post, type ImagesReply, type RestServer } from './rest-server.ts'

let openai: ClientProgram
let ai: ClientProgram
let rest: RestServer
beforeAll(async () => {
  ;[openai, ai] = await Promise.all([startProgram('rest-openai'), startProgram('rest-ai')])
})
afterAll(async () => {
  await Promise.all([openai[Symbol.asyncDispose](), ai[Symbol.asyncDispose]()])
})
beforeEach(async () => {
  rest = await openRestServer({ rest: { waitMs: 1_000, hangupGraceMs: 400 } })
})
afterEach(() => rest[Symbol.asyncDispose]())

const taskOf = (response: Response) => response.headers.get('darkroom-task-id')

describe('a request that waits longer than it may', () => {
  it('is told to ask again, and the retries of openai receive the one image', async () => {
    rest.upstream.script('hang')
    setTimeout(() => rest.upstream.release(), 1_500)
    const out = await openai.call<ImagesReply>('generate', { url: rest.url, params: { prompt: 'slow' } })
    expect(out.value?.data).toHaveLength(1)
    expect(out.requests.map(({ status }) => status)).toEqual([503, 200])
    expect(out.requests[1]?.reply?.['darkroom-replayed']).toBe('undelivered')
    expect(rest.records()).toMatchObject({ pays: 1, tasks: 1 })
  })

  it('is attached when the AI SDK asks again, which does not say that it does', async () => {
    rest.upstream.script('hang')
    setTimeout(() => rest.upstream.release(), 1_500)
    const out = await ai.call('generate', { url: rest.url, params: { prompt: 'slow', provider: 'openai' } })
    expect(out.error).toBeUndefined()
    expect(out.requests.map(({ status }) => status)).toEqual([503, 200])
    expect(rest.records()).toMatchObject({ pays: 1, tasks: 1 })
  })
})

describe('identical requests', () => {
  it('make a task each while both are delivered', async () => {
    const both = await Promise.all([1, 2].map(() => post(rest.url, { prompt: 'twins' })))
    for (const response of both) await response.arrayBuffer()
    const third = await post(rest.url, { prompt: 'twins' })
    await third.arrayBuffer()
    expect(new Set([...both, third].map(taskOf)).size).toBe(3)
    expect(rest.records()).toMatchObject({ pays: 3, tasks: 3 })
  })

  it('attach to different tasks after both were cut', async () => {
    rest.upstream.script('hang', 'hang')
    const cut = new AbortController()
    const lost = [1, 2].map(() => post(rest.url, { prompt: 'cut twins' }, { signal: cut.signal }))
    await expect.poll(() => rest.records().pays).toBe(2)
    cut.abort()
    await Promise.allSettled(lost)
    rest.upstream.release()
    await expect.poll(() => rest.records().calls).toEqual({ UNDELIVERED: 2 })
    const again = await Promise.all([1, 2].map(() => post(rest.url, { prompt: 'cut twins' })))
    expect(again.map((response) => response.headers.get('darkroom-replayed'))).toEqual([
      'undelivered',
      'undelivered',
    ])
    expect(new Set(again.map(taskOf)).size).toBe(2)
    for (const response of again) expect((await response.json()).data).toHaveLength(1)
    // What was delivered is due to no one.
    const fresh = await post(rest.url, { prompt: 'cut twins' })
    expect(fresh.headers.get('darkroom-replayed')).toBeNull()
    await fresh.arrayBuffer()
    expect(rest.records()).toMatchObject({ pays: 3, tasks: 3 })
  })

  it('make a new task with Darkroom-Fresh, and for another key', async () => {
    rest.upstream.script('hang')
    const cut = new AbortController()
    const lost = post(rest.url, { prompt: 'mine' }, { signal: cut.signal })
    await expect.poll(() => rest.records().pays).toBe(1)
    cut.abort()
    await lost.catch(() => {})
    rest.upstream.release()
    await expect.poll(() => rest.records().calls).toEqual({ UNDELIVERED: 1 })
    const fresh = await post(rest.url, { prompt: 'mine' }, { headers: { 'darkroom-fresh': '1' } })
    expect([fresh.status, fresh.headers.get('darkroom-replayed')]).toEqual([200, null])
    await fresh.arrayBuffer()
    expect(rest.records()).toMatchObject({ pays: 2, tasks: 2 })
  })
})

describe('on PostgreSQL', () => {
  it('a request attaches to the one that was cut', async () => {
    await using other = await openRestServer({ database: 'postgresql' })
    other.upstream.script('hang')
    const cut = new AbortController()
    const lost = post(other.url, { prompt: 'cut' }, { signal: cut.signal })
    await expect.poll(() => other.upstream.ledger.length).toBe(1)
    cut.abort()
    await lost.catch(() => {})
    other.upstream.release()
    await sleep(300)
    const again = await post(other.url, { prompt: 'cut' })
    expect([again.status, again.headers.get('darkroom-replayed')]).toEqual([200, 'undelivered'])
    await again.arrayBuffer()
    const next = await post(other.url, { prompt: 'cut' })
    expect(next.headers.get('darkroom-replayed')).toBeNull()
    await next.arrayBuffer()
    expect(other.upstream.ledger).toHaveLength(2)
  })
})

describe('a response that is cut', () => {
  it('is due to the next equal request if the reset comes after all bytes were written', async () => {
    const body = JSON.stringify({ prompt: 'reset', size: '1024x1024' })
    const socket = await sendOnly(rest.url, body)
    for await (const [chunk] of on(socket, 'data')) if (String(chunk).endsWith(']}')) break
    socket.resetAndDestroy()
    await expect.poll(() => rest.records().calls).toEqual({ UNDELIVERED: 1 })
    const again = await post(rest.url, { prompt: 'reset', size: '1024x1024' })
    expect(again.headers.get('darkroom-replayed')).toBe('undelivered')
    expect((await again.json()).data).toHaveLength(1)
    expect(rest.records()).toMatchObject({ pays: 1, tasks: 1 })
  })

  it('is delivered if the client reads it and closes in order', async () => {
    const socket = await sendOnly(rest.url, JSON.stringify({ prompt: 'ordered' }))
    let text = ''
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1')
      if (text.endsWith(']}')) socket.end()
    })
    await once(socket, 'close')
    await expect.poll(() => rest.records().calls).toEqual({ DELIVERED: 1 })
  })

  it('is attached by a client that says it retries, even if the gateway sees no cut', async () => {
    const first = await post(rest.url, { prompt: 'ghost' })
    await first.arrayBuffer()
    const headers = { 'x-stainless-retry-count': '1' }
    const retry = await post(rest.url, { prompt: 'ghost' }, { headers })
    expect(retry.headers.get('darkroom-replayed')).toBe('retry')
    expect(taskOf(retry)).toBe(taskOf(first))
    await retry.arrayBuffer()
    expect(rest.records()).toMatchObject({ pays: 1, tasks: 1 })
  })
})

describe('a client that leaves while its task is queued', () => {
  it('cancels it after a grace time, unless it returns', async () => {
    await rest.server.get('mutation { pauseProvider(input: { name: "paid" }) { provider { name } } }')
    const leave = async (prompt: string) => {
      const cut = new AbortController()
      const lost = post(rest.url, { prompt }, { signal: cut.signal })
      const before = rest.records().tasks
      await expect.poll(() => rest.records().tasks).toBe(before + 1)
      cut.abort()
      await lost.catch(() => {})
    }
    await leave('gone')
    await leave('back')
    await expect.poll(() => rest.records().calls).toEqual({ UNDELIVERED: 2 })
    const back = post(rest.url, { prompt: 'back' })
    await expect.poll(() => statuses(rest)).toEqual(['QUEUED', 'CANCELED'])
    await sleep(300)
    expect(await statuses(rest)).toEqual(['QUEUED', 'CANCELED'])
    await rest.server.get('mutation { resumeProvider(input: { name: "paid" }) { provider { name } } }')
    const response = await back
    expect(response.headers.get('darkroom-replayed')).toBe('undelivered')
    await response.arrayBuffer()
    await expect.poll(() => statuses(rest)).toEqual(['SUCCEEDED', 'CANCELED'])
    expect(rest.records().pays).toBe(1)
  })
})

describe('a task that may have been charged', () => {
  it('is answered once with 424 by openai, and with the image when it arrives later', async () => {
    rest.upstream.script({ status: 500, body: { error: { message: 'oops', type: 'server_error' } } })
    const out = await openai.call('generate', { url: rest.url, params: { prompt: 'lost' } })
    expect(out.requests).toHaveLength(1)
    expect(out.error).toMatchObject({ status: 424 })
    expect(out.error?.error).toMatchObject({ charged: 'unknown', task_id: expect.stringMatching(/^task_/) })
    expect(rest.upstream.requests).toHaveLength(1)
    expect(rest.records()).toMatchObject({ pays: 0, tasks: 1 })
  })

  it('is answered once with 424 when the upstream breaks off after its headers', async () => {
    rest.upstream.script('truncated')
    const out = await openai.call('generate', { url: rest.url, params: { prompt: 'half' } })
    expect(out.requests.map(({ status, reply }) => [status, reply?.['x-should-retry']])).toEqual([
      [424, 'false'],
    ])
    expect(out.error?.error).toMatchObject({ charged: 'unknown' })
    expect(rest.records()).toMatchObject({ pays: 1, tasks: 1 })
  })

  it('is answered as unknown, and stays so for the request itself', async () => {
    rest.upstream.script('reset-after-request')
    const response = await post(rest.url, { prompt: 'unknown' })
    expect(response.status).toBe(424)
    expect(await response.json()).toMatchObject({ error: { code: 'outcome_unknown', charged: 'unknown' } })
    // Its delivery is known with the next request of the connection.
    await (await post(rest.url, { prompt: 'another' })).arrayBuffer()
    await expect.poll(() => rest.records().calls['TOLD_UNKNOWN']).toBe(1)
    expect(rest.records()).toMatchObject({ pays: 2, tasks: 2 })
  })
})

describe('a retry of a refused request', () => {
  it('makes the task that the first try could not make', async () => {
    await rest.server.get(
      'mutation ($owner: ID!) { setLimits(input: { owner: $owner, limits: { concurrentTasks: 1 } }) { __typename } }',
      { owner: DEFAULT_PROJECT },
    )
    rest.upstream.script('hang')
    const busy = post(rest.url, { prompt: 'busy' })
    await expect.poll(() => rest.records().pays).toBe(1)
    const refused = await post(rest.url, { prompt: 'next' })
    expect([refused.status, refused.headers.get('x-should-retry')]).toEqual([429, 'true'])
    expect(await refused.json()).toMatchObject({ error: { code: 'rate_limit_exceeded' } })
    rest.upstream.release()
    await (await busy).arrayBuffer()
    const retry = await post(rest.url, { prompt: 'next' }, { headers: { 'x-stainless-retry-count': '1' } })
    expect([retry.status, retry.headers.get('darkroom-replayed')]).toEqual([200, null])
    await retry.arrayBuffer()
    expect(rest.records()).toMatchObject({ pays: 2, tasks: 2 })
  })
})

async function statuses({ server }: RestServer): Promise<string[]> {
  const { tasks } = await server.get<{ tasks: { nodes: { status: string }[] } }>(
    '{ tasks { nodes { status } } }',
  )
  return tasks.nodes.map(({ status }) => status)
}

/** Sends a request over a socket of its own. */
async function sendOnly(url: string, body: string): Promise<Socket> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  await once(socket, 'connect')
  socket.write(
    `POST /v1/images/generations HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer test\r\n` +
      `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  )
  return socket
}
