// PostgreSQL behind a network that fails: connections that are silent, reset, slow or terminated, and processes that stop.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { Client } from 'pg'
import { expect, describe, it, onTestFinished } from 'vitest'
import { openDatabase } from '../../src/db/open.ts'
import { createLog } from '../../src/log.ts'
import { withCompileCache } from '../support/compile-cache.ts'
import { newPlace, type Place } from '../support/database.ts'
import { expectAskAgain, generate, recover } from './ask-again.ts'
import { startGateway } from '../support/gateway-process.ts'
import { openGateway, type TestGateway } from '../support/gateway.ts'
import { runOn } from '../support/postgresql-databases.ts'
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts'

const QUICK = { leaseMs: 30_000, heartbeatMs: 500, reapMs: 200, pollMs: 100 }
async function startProxy(): Promise<{ proxy: TcpProxy; place: Place }> {
  const place = await newPlace('postgresql')
  onTestFinished(() => place.remove())
  const proxy = await startTcpProxy(place.databaseUrl!)
  onTestFinished(() => proxy.close())
  return { proxy, place }
}

async function openBehindProxy(): Promise<{ proxy: TcpProxy; place: Place; server: TestGateway }> {
  const { proxy, place } = await startProxy()
  const server = await openGateway({ place: { ...place, databaseUrl: proxy.url }, engine: QUICK })
  onTestFinished(() => server[Symbol.asyncDispose]())
  return { proxy, place, server }
}

const KEYS = Array.from({ length: 12 }, (_, i) => `lamp-${i}`)

describe('PostgreSQL', () => {
  it.each([
    ['stops responding', (proxy: TcpProxy) => proxy.swallow()],
    ['resets all connections', (proxy: TcpProxy) => proxy.reset()],
  ])('that %s: mutations are refused within 5 s, and work within 10 s after the fault', async (_, fail) => {
    const { proxy, server } = await openBehindProxy()
    await server.ended(await server.generate({ prompt: 'before' }))
    fail(proxy)
    expectAskAgain(await Promise.all(KEYS.map((key) => generate(server.url, key))))
    const [live, ready] = await Promise.all([fetch(`${server.url}/livez`), fetch(`${server.url}/readyz`)])
    expect([live.status, ready.status]).toEqual([200, 503])
    const usage = await fetch(`${server.url}/graphql?query={tasks{nodes{id}}}`, {
      headers: { 'x-graphql-yoga-csrf': '1' },
    })
    expect(usage.status).toBe(503)
    proxy.heal()
    expect(await recover(server, KEYS)).toBeLessThan(10_000)
  })

  it('that loses idle connections silently is connected again before requests fail for long', async () => {
    const { proxy, server } = await openBehindProxy()
    await server.ended(await server.generate({ prompt: 'before' }))
    proxy.swallow()
    proxy.heal()
    expect(await recover(server, KEYS)).toBeLessThan(10_000)
  })

  it('whose notifications stop silently is listened to again, and all waiters are woken', async () => {
    const { proxy, place } = await startProxy()
    const woken: string[] = []
    const log = createLog('silent')
    const behind = { dataDir: place.dataDir, databaseUrl: proxy.url }
    const db = await openDatabase({ ...behind, onWakeUp: (key) => woken.push(key), log })
    onTestFinished(() => db.close())
    await expect.poll(() => woken).toContain('*')
    woken.length = 0
    proxy.swallow()
    proxy.heal()
    await expect.poll(() => woken).toContain('*')
    await expect
      .poll(async () => {
        // The first ones may find the connections that are silent.
        await db.tx(async (q) => q.wakeUp('task:1')).catch(() => {})
        return woken
      })
      .toContain('task:1')
  })

  it('that responds slowly is used, and its slow connections are kept', async () => {
    const { proxy, server } = await openBehindProxy()
    proxy.delay(5)
    await server.ended(await server.generate({ prompt: 'before' }))
    const before = proxy.connectionCount()
    expect(await recover(server, KEYS.slice(0, 3))).toBeLessThan(10_000)
    expect(proxy.connectionCount()).toBeLessThanOrEqual(before + 12)
  })

  it('that terminates all connections again and again fails no request otherwise than by "ask again"', async () => {
    const { place, server } = await openBehindProxy()
    await server.ended(await server.generate({ prompt: 'before' }))
    await using operator = await connectTo(place)
    const over = new AbortController()
    const terminating = (async () => {
      while (!over.signal.aborted) {
        await operator.terminateOthers()
        await pause(50)
      }
    })()
    const answers = await Promise.all(
      KEYS.map(async (key) => {
        await pause(Math.random() * 1000)
        return generate(server.url, key)
      }),
    )
    over.abort()
    await terminating
    expectAskAgain(answers.filter(({ id }) => id === undefined))
    expect(await recover(server, KEYS)).toBeLessThan(10_000)
  })

  it('whose server processes stop: mutations are refused within 5 s, and work on new connections', async () => {
    const { place, server } = await openBehindProxy()
    await server.ended(await server.generate({ prompt: 'before' }))
    await using operator = await connectTo(place)
    const pids = await operator.listOthers()
    expect(pids.length).toBeGreaterThan(0)
    const signal = (name: NodeJS.Signals) => pids.forEach((pid) => process.kill(pid, name))
    signal('SIGSTOP')
    try {
      const answers = await Promise.all(KEYS.map((key) => generate(server.url, key)))
      expectAskAgain(answers.filter(({ id }) => id === undefined))
      expect(await recover(server, KEYS)).toBeLessThan(10_000)
    } finally {
      signal('SIGCONT')
    }
  })

  it('that has no connection left: mutations are refused within 5 s, and work within 10 s after the fault', async () => {
    const place = await newPlace('postgresql')
    onTestFinished(() => place.remove())
    const url = new URL(place.databaseUrl!)
    const role = `${url.pathname.slice(1)}_client`
    await runOn(url.href, `create role ${role} login password 'secret' in role ${url.username}`)
    Object.assign(url, { username: role, password: 'secret' })
    await using server = await openGateway({ place: { ...place, databaseUrl: url.href }, engine: QUICK })
    await server.ended(await server.generate({ prompt: 'before' }))
    await runOn(place.databaseUrl!, `alter role ${role} connection limit 0`)
    await using operator = await connectTo(place)
    await operator.terminateOthers()
    expectAskAgain(await Promise.all(KEYS.map((key) => generate(server.url, key))))
    await runOn(place.databaseUrl!, `alter role ${role} connection limit -1`)
    expect(await recover(server, KEYS)).toBeLessThan(10_000)
  })

  it('releases the locks of a process that stops inside a transaction, whose change is then refused', async () => {
    const { place, server } = await openBehindProxy()
    await server.ended(await server.generate({ prompt: 'before' }))
    const child = fork(
      join(import.meta.dirname, '../support/stopped-child.ts'),
      [place.databaseUrl!, place.dataDir],
      { env: withCompileCache({}), execArgv: [] },
    )
    onTestFinished(() => void child.kill('SIGKILL'))
    expect(await once(child, 'message')).toEqual(['locked', undefined])
    const answers = await Promise.all(KEYS.map((key) => generate(server.url, key)))
    expectAskAgain(answers.filter(({ id }) => id === undefined))
    expect(await recover(server, KEYS)).toBeLessThan(10_000)
    child.kill('SIGCONT')
    expect(await once(child, 'message')).toEqual(['ConnectionLost', undefined])
  })
})

describe('4,000 requests at once', () => {
  it('are stored or refused with "ask again", never with an internal error', async () => {
    const place = await newPlace('postgresql')
    onTestFinished(() => place.remove())
    await using server = await startGateway(place, {
      providers: [{ name: 'sandbox', dialect: 'sandbox', durationMs: 600_000 }],
    })
    const keys = Array.from({ length: 4_000 }, (_, i) => `many-${i}`)
    const answers = await Promise.all(keys.map((key) => generate(server.url, key)))
    const refused = answers.filter(({ id }) => id === undefined)
    expect(refused.length).toBeLessThan(answers.length)
    expectAskAgain(refused, 60_000)
    expect((await fetch(`${server.url}/readyz`)).status).toBe(200)
  })
})

async function connectTo({ databaseUrl }: Place) {
  const client = new Client({ connectionString: databaseUrl! })
  await client.connect()
  return {
    async listOthers() {
      const { rows } = await client.query<{ pid: number }>(
        'select pid from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
      )
      return rows.map(({ pid }) => pid)
    },
    terminateOthers: () =>
      client.query(
        'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
      ),
    [Symbol.asyncDispose]: () => client.end(),
  }
}
