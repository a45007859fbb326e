// A client that leaves while its task is created, and asks again. Barriers decide the order.
import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { abandonCalls } from '../../src/db/tasks/calls.ts'
import type { Deps } from '../../src/engine/deps.ts'
import { ClientGone, createCalls, type WaitingCall } from '../../src/engine/tasks/calls.ts'
import { createForCall } from '../../src/engine/tasks/create-for-call.ts'
import { newId } from '../../src/ids.ts'
import { DATABASES } from '../support/database.ts'
import { openEngine, type TestEngine } from '../support/engine.ts'
import { ANONYMOUS, PLAIN } from '../support/plain-input.ts'
import { scripted } from '../support/scripted.ts'
import { openRestServer, post } from './rest-server.ts'

/** A process, as far as its calls are concerned. */
function newProcess(one: TestEngine, change: Partial<Deps> = {}) {
  const deps = { ...one.deps, workerId: newId('wrk', Date.now()), ...change }
  const calls = createCalls(deps)
  function ask(prompt: string, gone: AbortSignal = new AbortController().signal) {
    const call: WaitingCall = {
      id: newId('call', Date.now()),
      caller: 'address:127.0.0.1',
      attach: 'UNDELIVERED',
      isRetry: false,
      undeliveredMs: 60_000,
      gone,
    }
    const made = createForCall(deps, ANONYMOUS, { ...PLAIN, prompt }, { call, calls })
    return { call, made }
  }
  return { deps, calls, ask }
}

/** Waits where it is called, until it is opened. */
function newBarrier() {
  const reached = Promise.withResolvers<void>()
  const opened = Promise.withResolvers<void>()
  return {
    reached: reached.promise,
    open: () => opened.resolve(),
    async wait() {
      reached.resolve()
      await opened.promise
    },
  }
}

describe.each(DATABASES)('calls on %s', (database) => {
  let one: TestEngine
  beforeAll(async () => {
    // Nothing is sent.
    one = await openEngine({
      database,
      providers: [scripted(() => Promise.reject(new Error('sent')))],
      start: false,
    })
  })
  afterAll(() => one[Symbol.asyncDispose]())

  const countTasks = async (prompt: string) => {
    const tasks = await one.db.read.sql.select().from(one.db.read.tables.tasks)
    return tasks.filter(({ request }) => request.prompt === prompt).length
  }

  it('create no task after the client has left, and the one of the request that it repeats', async () => {
    const barrier = newBarrier()
    const limiter: Deps['limiter'] = {
      ...one.deps.limiter,
      async countSubmission(_, what) {
        if (what.tasks > 0) await barrier.wait()
      },
    }
    const client = new AbortController()
    const first = newProcess(one, { limiter }).ask('left before the commit', client.signal)
    await barrier.reached
    client.abort()
    const { ask } = newProcess(one)
    const second = await ask('left before the commit').made
    barrier.open()
    await expect(first.made).rejects.toBeInstanceOf(ClientGone)
    expect(second.replayed).toBe(false)
    expect(await countTasks('left before the commit')).toBe(1)
  })

  it('attach as soon as the client has left, before that is recorded', async () => {
    const { ask } = newProcess(one)
    const client = new AbortController()
    const first = await ask('left after the commit', client.signal).made
    client.abort()
    const second = await ask('left after the commit').made
    expect([second.task.id, second.attached]).toEqual([first.task.id, 'UNDELIVERED'])
  })

  it('make a task each for parallel clients that stay', async () => {
    const { ask } = newProcess(one)
    const made = await Promise.all([1, 2, 3].map(() => ask('parallel').made))
    expect(new Set(made.map(({ task }) => task.id)).size).toBe(3)
  })

  it('attach to a call whose task was committed while the other request was prepared', async () => {
    const barrier = newBarrier()
    const { ask, deps } = newProcess(one)
    const limiter: Deps['limiter'] = {
      ...one.deps.limiter,
      async countSubmission(_, what) {
        if (what.tasks > 0) await barrier.wait()
      },
    }
    deps.limiter = limiter
    const second = ask('late commit')
    await barrier.reached
    deps.limiter = one.deps.limiter
    const client = new AbortController()
    const first = await ask('late commit', client.signal).made
    client.abort()
    barrier.open()
    expect((await second.made).task.id).toBe(first.task.id)
  })

  it('attach to the task of a process that was killed before a client heard that its outcome is unknown', async () => {
    const killed = newProcess(one)
    const { call, made } = killed.ask('killed while telling')
    const { task } = await made
    await killed.calls.tellUnknown(call.id)
    const next = newProcess(one)
    await one.db.tx((q) => abandonCalls(q, next.deps.workerId))
    expect((await next.ask('killed while telling').made).task.id).toBe(task.id)
  })

  it('make a new task for a client that heard that the outcome is unknown', async () => {
    const first = newProcess(one)
    const { call, made } = first.ask('told')
    const { task } = await made
    await first.calls.tellUnknown(call.id)
    await first.calls.close(call.id, 'TOLD_UNKNOWN')
    const next = newProcess(one)
    await one.db.tx((q) => abandonCalls(q, next.deps.workerId))
    expect((await next.ask('told').made).task.id).not.toBe(task.id)
  })
})

describe('two processes on PostgreSQL', () => {
  let one: TestEngine
  beforeAll(async () => {
    const providers = [scripted(() => Promise.reject(new Error('sent')))]
    one = await openEngine({ database: 'postgresql', providers, start: false })
  })
  afterAll(() => one[Symbol.asyncDispose]())

  it('wait for a commit that is under way when the client leaves', async () => {
    const barrier = newBarrier()
    const db: Deps['db'] = {
      ...one.db,
      tx: (work) =>
        one.db.tx(async (q) => {
          const value = await work(q)
          await barrier.wait()
          return value
        }),
    }
    const client = new AbortController()
    const { ask } = newProcess(one, { db })
    const first = ask('slow commit', client.signal).made
    await barrier.reached
    client.abort()
    const second = ask('slow commit').made
    await sleep(50)
    barrier.open()
    expect((await second).task.id).toBe((await first).task.id)
  })

  it('attach to a call of a killed process as soon as its lease has expired', async () => {
    const killed = newProcess(one)
    const { call, made } = killed.ask('killed')
    const { task } = await made
    await one.db.tx(async ({ sql, tables: { calls } }) => {
      await sql
        .update(calls)
        .set({ closedAt: Date.now() + 400 })
        .where(eq(calls.id, call.id))
    })
    const again = await newProcess(one).ask('killed').made
    expect([again.task.id, again.attached]).toEqual([task.id, 'UNDELIVERED'])
  })

  it('make a new task beside a call of a process that renews it', async () => {
    const other = newProcess(one)
    const { task } = await other.ask('alive').made
    const asked = newProcess(one).ask('alive').made
    await sleep(50)
    await other.calls.renew()
    expect((await asked).task.id).not.toBe(task.id)
  })
})

it('a connection that was reset with its request makes no task, and its client is no other caller', async () => {
  await using rest = await openRestServer()
  const body = JSON.stringify({ prompt: 'reset at once' })
  const socket = connect(Number(new URL(rest.url).port), '127.0.0.1')
  await once(socket, 'connect')
  socket.write(
    `POST /v1/images/generations HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer test\r\n` +
      `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  )
  // Both are in the server's queue when it reads.
  socket.resetAndDestroy()
  const response = await post(rest.url, { prompt: 'reset at once' })
  await response.arrayBuffer()
  expect(rest.records()).toMatchObject({ pays: 1, tasks: 1 })
})
