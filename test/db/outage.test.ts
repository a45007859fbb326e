import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openDatabase } from '../../src/db/open.ts'
import { createLog } from '../../src/log.ts'
import { expectAskAgain, generate, recover } from '../faults/ask-again.ts'
import type { Place } from '../support/database.ts'
import { newPlace } from '../support/database.ts'
import { openEngine } from '../support/engine.ts'
import { openGateway } from '../support/gateway.ts'
import { createDatabase, urlOf } from '../support/postgresql-databases.ts'
import { startPostgresql, type PostgresqlServer } from '../support/postgresql-server.ts'
import { newTask } from '../support/rows.ts'
import { done, held, scripted } from '../support/scripted.ts'

const TUNING = { pollMs: 50, reapMs: 50, heartbeatMs: 100, leaseMs: 30_000 }

const KEYS = Array.from({ length: 12 }, (_, i) => `lamp-${i}`)

describe('after an outage of PostgreSQL', () => {
  let server: PostgresqlServer
  let place: Place
  beforeAll(async () => {
    server = await startPostgresql()
    place = { ...(await newPlace('sqlite')), databaseUrl: server.url }
  })
  afterAll(async () => {
    await place.remove()
    await server.stop()
  })

  it('the engine records the result of a call that ended during it, and continues', async () => {
    const call = held()
    const provider = scripted((sent, nth) => (nth === 1 ? call.answer(sent) : done(sent)))
    await using one = await openEngine({ place, providers: [provider], tuning: TUNING })
    const { id } = await one.create()
    await one.reached(id, 'RUNNING')

    await server.crash()
    let isReceived = false
    call.resolveWith(async (sent) => {
      const answer = await done(sent)
      isReceived = true
      return answer
    })
    await expect.poll(() => isReceived).toBe(true)
    await expect(one.task(id)).rejects.toThrow(/./)
    await server.restart()

    await expect.poll(() => one.task(id).catch(() => undefined)).toMatchObject({ status: 'SUCCEEDED' })
    expect(provider.sent).toHaveLength(1)
    const other = await one.create()
    await one.reached(other.id, 'SUCCEEDED')
  })

  it('the database listens again and wakes all waiters, because they may have missed notifications', async () => {
    const woken: string[] = []
    const db = await openDatabase({
      ...place,
      onWakeUp: (key) => woken.push(key),
      log: createLog('silent'),
    })
    await expect.poll(() => woken).toContain('*')
    woken.length = 0

    const operator = new Client({ connectionString: place.databaseUrl! })
    await operator.connect()
    const listening = `from pg_stat_activity where query = 'listen darkroom'`
    const { rowCount } = await operator.query(`select pg_terminate_backend(pid) ${listening}`)
    expect(rowCount).toBe(1)
    await expect.poll(() => woken).toContain('*')
    woken.length = 0
    const task = await newTask(db)
    await db.tx(async (q) => q.wakeUp(`task:${task.id}`))
    await expect.poll(() => woken).toEqual([`task:${task.id}`])
    expect((await operator.query(`select 1 ${listening}`)).rowCount).toBe(1)
    await operator.end()
    await db.close()
  })

  it('that was paused as a whole, mutations work within 10 s, and were refused within 5 s before', async () => {
    const databaseUrl = urlOf(server.url, await createDatabase(server.url))
    const engine = { ...TUNING, reapMs: 100 }
    await using gateway = await openGateway({ place: { ...place, databaseUrl }, engine })
    await gateway.ended(await gateway.generate({ prompt: 'before' }))
    const proceed = await server.pause()
    try {
      expectAskAgain(await Promise.all(KEYS.map((key) => generate(gateway.url, key))))
    } finally {
      proceed()
    }
    expect(await recover(gateway, KEYS)).toBeLessThan(10_000)
  })
})
