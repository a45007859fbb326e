import { once } from 'node:events'
import { statSync } from 'node:fs'
import type { Worker } from 'node:worker_threads'
import BetterSqlite3 from 'better-sqlite3'
import { sql } from 'drizzle-orm'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Database } from '../../src/db/connection/database.ts'
import { runForClient } from '../../src/db/connection/priority.ts'
import { createReaders, type ReaderLimits } from '../../src/db/connection/sqlite-readers.ts'
import { openDatabase } from '../../src/db/open.ts'
import { gatewayErrorOf } from '../../src/errors.ts'
import { createLog } from '../../src/log.ts'
import { newPlace, type Place } from '../support/database.ts'
import { newTask } from '../support/rows.ts'

const log = createLog('silent')

/** SQLite counts that far. Three million take about half a second of CPU time. */
const countTo = (end: number) =>
  sql`(with recursive number(n) as (select 1 union all select n + 1 from number where n < ${end}) select max(n) as n from number) as counted`

describe('queries over many rows on SQLite', () => {
  let place: Place
  let db: Database
  const threads: Worker[] = []
  const onWorker = (worker: Worker) => {
    threads.push(worker)
    worker.once('exit', () => threads.splice(threads.indexOf(worker), 1))
  }
  beforeEach(async () => {
    process.on('worker', onWorker)
    place = await newPlace('sqlite')
    db = await openDatabase({ ...place, onWakeUp: () => {}, log })
  })
  afterEach(async () => {
    await db.close()
    process.off('worker', onWorker)
    await place.remove()
  })

  const counted = (end: number) => db.reports.sql.select({ n: sql<number>`n` }).from(countTo(end))
  const open = (limits: Partial<ReaderLimits>, wal = { isLong: () => false, truncate() {} }) => {
    const all = { threads: 1, waitMs: 60_000, queryMs: 60_000, ...limits }
    const readers = createReaders(`${place.dataDir}/darkroom.db`, all, { wal, log })
    const count = async (end: number) => {
      const rows = await readers.builders.select({ n: sql<number>`n` }).from(countTo(end))
      return rows[0]?.n
    }
    return { count, close: () => readers.close() }
  }

  it('leave the event loop free, and other reads', async () => {
    const { projects } = db.read.tables
    const done = new AbortController()
    const slow = db.reports.sql.select({ n: sql<number>`n` }).from(countTo(3_000_000))
    const result = slow.then((rows) => {
      done.abort()
      return rows
    })
    let turns = 0
    while (!done.signal.aborted) {
      expect(await db.read.sql.select().from(projects)).toHaveLength(1)
      turns++
      await new Promise((resume) => setTimeout(resume, 1))
    }
    expect(await result).toEqual([{ n: 3_000_000 }])
    // On the main thread the query would be done before the first turn.
    expect(turns).toBeGreaterThan(10)
  })

  it('return the same values as the main thread', async () => {
    const { id } = await newTask(db)
    for (const table of [db.read.tables.tasks, db.read.tables.projects]) {
      const rows = await db.reports.sql.select().from(table)
      expect(rows).toEqual(await db.read.sql.select().from(table))
      expect(rows.length).toBeGreaterThan(0)
    }
    expect(await db.reports.sql.select({ id: db.read.tables.tasks.id }).from(db.read.tables.tasks)).toEqual([
      { id },
    ])
  })

  it('see every commit that was before them', async () => {
    const { tasks } = db.read.tables
    for (let count = 1; count <= 20; count++) {
      await newTask(db)
      expect(await db.reports.sql.select({ id: tasks.id }).from(tasks)).toHaveLength(count)
    }
  })

  it('cannot write', async () => {
    const { projects } = db.read.tables
    const insert = db.reports.sql.insert(projects).values({ id: 'prj_x', name: 'x', createdAt: 0 })
    await expect(insert).rejects.toMatchObject({ cause: { message: 'Reader threads do not write.' } })
    const returning = db.reports.sql.insert(projects).values({ id: 'prj_x', name: 'x', createdAt: 0 })
    await expect(returning.returning()).rejects.toMatchObject({ cause: { code: 'SQLITE_READONLY' } })
  })

  it('keep the code of an error of SQLite', async () => {
    const broken = db.reports.sql.select({ n: sql`n` }).from(sql`no_such_table`)
    await expect(broken).rejects.toMatchObject({
      cause: { code: 'SQLITE_ERROR', message: 'no such table: no_such_table' },
    })
  })

  it('run again after their thread ended, which refuses only the query in progress', async () => {
    await counted(1)
    const [first] = threads
    const refused = counted(50_000_000).catch(gatewayErrorOf)
    void first!.terminate()
    expect(await counted(2)).toEqual([{ n: 2 }])
    expect(await refused).toMatchObject({ code: 'SERVICE_UNAVAILABLE', retryAfterMs: 1_000 })
    expect(threads).not.toContain(first)
    expect(await counted(3)).toEqual([{ n: 3 }])
  })

  it('need no thread before the first one, and two at most, which end with the database', async () => {
    expect(threads).toEqual([])
    const all = Array.from({ length: 10 }, () => db.reports.sql.select({ n: sql`n` }).from(countTo(1_000)))
    await Promise.all(all)
    expect(threads).toHaveLength(2)
    await db.close()
    expect(threads).toEqual([])
    const late = db.reports.sql.select({ n: sql`n` }).from(countTo(1))
    await expect(late).rejects.toMatchObject({ cause: { message: 'The database is closed.' } })
    db = await openDatabase({ ...place, onWakeUp: () => {}, log })
  })

  describe('with limits', () => {
    it('are refused with the remedy when they take too long, and the next one gets a new thread', async () => {
      const { count, close } = open({ queryMs: 100 })
      const error = await count(3_000_000).catch(gatewayErrorOf)
      expect(error).toMatchObject({
        code: 'SERVICE_UNAVAILABLE',
        message: expect.stringContaining('Narrow the period or the filter of the request.'),
      })
      const [slow] = threads
      expect(slow).toBeDefined()
      const next = open({})
      await once(slow!, 'exit')
      expect(await next.count(5)).toBe(5)
      await close()
      await next.close()
    })

    it('wait for a free thread, but not more than 100 for each', async () => {
      const { count, close } = open({})
      const results = runForClient(() => Array.from({ length: 102 }, () => count(1_000)))
      const settled = await Promise.allSettled(results)
      const refused = settled.flatMap((one) =>
        one.status === 'rejected' ? [gatewayErrorOf(one.reason)] : [],
      )
      expect(refused).toMatchObject([{ code: 'SERVICE_UNAVAILABLE' }])
      expect(refused[0]?.retryAfterMs).toBeGreaterThan(0)
      await close()
    })

    it('pause while the write-ahead log is long, so that it can be truncated', async () => {
      const events: string[] = []
      let isLong = false
      const truncate = () => {
        isLong = false
        events.push('truncated')
      }
      const { count, close } = open({ threads: 2 }, { isLong: () => isLong, truncate })
      const slow = count(300_000).then(() => events.push('slow'))
      await new Promise((resume) => setImmediate(resume))
      isLong = true
      await Promise.all([slow, count(1).then(() => events.push('fast'))])
      expect(events).toEqual(['slow', 'truncated', 'fast'])
      await close()
    })
  })

  it('end the growth of the write-ahead log that another reader caused', async () => {
    const file = `${place.dataDir}/darkroom.db`
    const other = new BetterSqlite3(file, { readonly: true })
    other.exec('begin; select count(*) from tasks')
    const { projects } = db.read.tables
    for (let written = 0; written < 40; written++)
      await db.tx((q) => q.sql.update(projects).set({ name: `${written}`.repeat(500_000) }))
    const lengthOf = () => statSync(`${file}-wal`).size
    expect(lengthOf()).toBeGreaterThan(32 * 2 ** 20)
    other.close()
    await db.reports.sql.select({ n: sql`n` }).from(countTo(1))
    expect(lengthOf()).toBe(0)
  })
})
