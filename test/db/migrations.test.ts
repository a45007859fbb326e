import BetterSqlite3 from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { openDatabase } from '../../src/db/open.ts'
import { DEFAULT_PROJECT, findFeedPosition } from '../../src/db/access/projects.ts'
import { createLog } from '../../src/log.ts'
import { DATABASES, newEmptyPlace, newPlace, type Place } from '../support/database.ts'
import { newTask } from '../support/rows.ts'

const open = (place: Place) => openDatabase({ ...place, onWakeUp: () => {}, log: createLog('silent') })

describe.each(DATABASES)('migrations on %s', (kind) => {
  let place: Place
  beforeEach(async () => {
    place = await newEmptyPlace(kind)
  })
  afterEach(() => place.remove())

  it('create the schema of an empty database, and leave a migrated one unchanged', async () => {
    const first = await open(place)
    const { id } = await newTask(first)
    await first.close()
    const second = await open(place)
    const rows = await second.read.sql
      .select({ id: second.read.tables.tasks.id })
      .from(second.read.tables.tasks)
    expect(rows).toEqual([{ id }])
    expect(await findFeedPosition(second.read, DEFAULT_PROJECT)).toBe(0)
    await second.close()
  })
})

describe('processes that start at the same time', () => {
  it('migrate one PostgreSQL database without conflicts', async () => {
    const place = await newEmptyPlace('postgresql')
    const opened = await Promise.all(Array.from({ length: 6 }, () => open(place)))
    await Promise.all(opened.map((db) => newTask(db)))
    const [first] = opened
    expect(await first!.read.sql.select().from(first!.read.tables.tasks)).toHaveLength(6)
    expect(await first!.read.sql.select().from(first!.read.tables.projects)).toHaveLength(1)
    await Promise.all(opened.map((db) => db.close()))
    await place.remove()
  })
})

describe('SQLite', () => {
  it('makes concurrent writes durable with one commit', async () => {
    const place = await newPlace('sqlite')
    const db = await open(place)
    const memory = new BetterSqlite3(':memory:')
    const statements = Object.getPrototypeOf(memory.prepare('select 1')) as BetterSqlite3.Statement
    const run = vi.spyOn(statements, 'run')
    const commits = () =>
      (run.mock.contexts as { source: string }[]).filter(({ source }) => source === 'commit').length
    await Promise.all(Array.from({ length: 200 }, () => newTask(db)))
    expect(commits()).toBe(1)
    for (let i = 0; i < 3; i++) await newTask(db)
    expect(commits()).toBe(4)
    run.mockRestore()
    memory.close()
    await db.close()
    await place.remove()
  })

  it('rolls back a transaction that shares a commit without changing the others', async () => {
    const place = await newPlace('sqlite')
    const db = await open(place)
    const results = await Promise.allSettled(
      Array.from({ length: 30 }, (_, i) =>
        i % 3 === 0 ? db.tx(() => Promise.reject(new Error('no'))) : newTask(db),
      ),
    )
    expect(results.filter(({ status }) => status === 'rejected')).toHaveLength(10)
    expect(await db.read.sql.select().from(db.read.tables.tasks)).toHaveLength(20)
    await db.close()
    await place.remove()
  })
})
