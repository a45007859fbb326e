import { statSync } from 'node:fs'
import { join } from 'node:path'
import BetterSqlite3 from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createSyncedLog } from '../../src/db/connection/synced-log.ts'
import type { Database } from '../../src/db/connection/database.ts'
import { openDatabase } from '../../src/db/open.ts'
import { Unavailable } from '../../src/errors.ts'
import { createLog } from '../../src/log.ts'
import { newPlace, type Place } from '../support/database.ts'

describe('commits on SQLite', () => {
  let place: Place
  let db: Database
  beforeEach(async () => {
    place = await newPlace('sqlite')
    db = await openDatabase({ ...place, onWakeUp: () => {}, log: createLog('silent') })
  })
  afterEach(async () => {
    await db.close()
    await place.remove()
  })

  const rename = (name: string) =>
    db.tx((q) =>
      q.sql
        .update(q.tables.projects)
        .set({ name })
        .then(() => {}),
    )

  it('are read only once they are durable', async () => {
    const { projects } = db.read.tables
    const last = { committed: 0 }
    let turns = 0
    async function write(): Promise<void> {
      for (let n = 1; n <= 50; n++) {
        await rename(`${n}`)
        last.committed = n
      }
    }
    const writing = write()
    while (last.committed < 50) {
      await new Promise((resolve) => setImmediate(resolve))
      const [project] = await db.read.sql.select().from(projects)
      expect(Number(project!.name) || 0).toBe(last.committed)
      turns++
    }
    await writing
    expect(turns).toBeGreaterThan(50)
  })

  it('reuse the write-ahead log, however many there are', async () => {
    for (let written = 0; written < 60; written++) await rename(`${written}`.repeat(500_000))
    expect(statSync(join(place.dataDir, 'darkroom.db-wal')).size).toBeLessThan(24 * 2 ** 20)
  })
})

it('a write-ahead log that cannot be synced refuses this commit and all that follow', async () => {
  const place = await newPlace('sqlite')
  const file = join(place.dataDir, 'own.db')
  const writer = new BetterSqlite3(file)
  writer.pragma('journal_mode = WAL')
  writer.exec('create table numbers(n)')
  const reader = new BetterSqlite3(file, { readonly: true })
  const log = createSyncedLog(file, writer, reader)
  const count = () => reader.prepare('select count(*) from numbers').pluck().get()
  const insert = () => {
    log.hold()
    writer.exec('insert into numbers values (1)')
  }

  insert()
  expect(count()).toBe(0)
  await log.sync()
  expect(count()).toBe(1)

  // The system refuses to sync a closed file.
  log.close()
  insert()
  await expect(log.sync()).rejects.toThrow(Unavailable)
  log.release()
  expect(count()).toBe(1)
  expect(insert).toThrow(Unavailable)
  reader.close()
  writer.close()
  await place.remove()
})
