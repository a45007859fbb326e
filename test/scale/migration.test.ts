// A migration whose process is killed between two statements, at many places in sequence.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import BetterSqlite3 from 'better-sqlite3'
import { Client } from 'pg'
import { describe, expect, it, onTestFinished } from 'vitest'
import { MIGRATIONS } from '../../src/db/connection/migrations.ts'
import { openDatabase } from '../../src/db/open.ts'
import { SQLITE_FILE } from '../../src/db/connection/sqlite.ts'
import { createLog } from '../../src/log.ts'
import { DATABASES, newEmptyPlace, type DatabaseKind, type Place } from '../support/database.ts'
import { newTask } from '../support/rows.ts'

/** Evenly spread over the statements. */
const KILLS = 8

/** A future migration whose result shows whether it ran twice or in part. */
const LATER = [
  'create table later (task text primary key, copied bigint not null)',
  'insert into later select id, 1 from tasks',
  'create table later_still (task text not null)',
  'insert into later_still select task from later',
  'alter table later add column note text',
  'update later set copied = copied + 1',
].join(';\n--> statement-breakpoint\n')

describe.each(DATABASES)('a migration on %s that is killed halfway', (kind) => {
  it('is completed by the next start, with the same schema', { timeout: 180_000 }, async () => {
    const [place, uninterrupted] = [await newPlaceFor(kind), await newPlaceFor(kind)]
    await start(uninterrupted)
    await killAtManyPlaces(place)
    expect(await query(place, DESCRIBE[kind])).toEqual(await query(uninterrupted, DESCRIBE[kind]))
  })

  it('changes stored rows once, or not at all', { timeout: 180_000 }, async () => {
    const place = await newPlaceFor(kind)
    const db = await openDatabase({ ...place, onWakeUp: () => {}, log: createLog('silent') })
    const { id } = await newTask(db)
    await db.close()
    const folder = join(place.dataDir, 'migrations')
    await mkdir(join(folder, '99991231235959_later'), { recursive: true })
    await cp(MIGRATIONS[kind], folder, { recursive: true })
    await writeFile(join(folder, '99991231235959_later', 'migration.sql'), LATER)

    await killAtManyPlaces(place, folder)
    expect(await query(place, 'select task, cast(copied as integer) as copied, note from later')).toEqual([
      { task: id, copied: 2, note: null },
    ])
    expect(await query(place, 'select task from later_still')).toEqual([{ task: id }])
  })
})

async function newPlaceFor(kind: DatabaseKind): Promise<Place> {
  const place = await newEmptyPlace(kind)
  onTestFinished(() => place.remove())
  return place
}

/** Kills a start at each place, then completes one. */
async function killAtManyPlaces(place: Place, folder: string | null = null): Promise<void> {
  // Counts the statements in a place like this one.
  const rehearsal = await newPlaceFor(place.databaseUrl === null ? 'sqlite' : 'postgresql')
  if (folder !== null) await start(rehearsal)
  const statements = Number((await start(rehearsal, { folder })).stdout)
  expect(statements).toBeGreaterThan(KILLS)
  let killed = 0
  for (let kill = 1; kill <= KILLS; kill++) {
    const killAt = Math.round((kill * statements) / (KILLS + 1))
    const { code, signal } = await start(place, { folder, killAt })
    // After a commit the next start has fewer statements than `killAt`.
    expect(signal === 'SIGKILL' || code === 0).toBe(true)
    if (signal === 'SIGKILL') killed++
  }
  expect(killed).toBeGreaterThan(KILLS / 2)
  expect(await start(place, { folder })).toMatchObject({ code: 0 })
}

/** Opens the database in a process of its own, which is killed at statement `killAt`. */
async function start(
  { databaseUrl, dataDir }: Place,
  { folder = null, killAt = 0 }: { folder?: string | null; killAt?: number } = {},
): Promise<{ code: unknown; signal: unknown; stdout: string }> {
  const settings = JSON.stringify({ databaseUrl, dataDir, folder, killAt })
  const child = spawn(process.execPath, [join(import.meta.dirname, 'migrating-child.ts'), settings], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [stdout, [code, signal]] = await Promise.all([
    text(child.stdout),
    once(child, 'exit') as Promise<unknown[]>,
  ])
  return { code, signal, stdout }
}

const DESCRIBE = {
  sqlite: 'select type, name, sql from sqlite_master order by type, name',
  postgresql: `select table_schema, table_name as name, column_name as detail, data_type, column_default
      from information_schema.columns where table_schema in ('public', 'drizzle')
    union all select schemaname, indexname, indexdef, '', '' from pg_indexes where schemaname = 'public'
    union all select 'public', conname, pg_get_constraintdef(oid), '', '' from pg_constraint
      where connamespace = 'public'::regnamespace
    order by 1, 2, 3`,
}

async function query({ databaseUrl, dataDir }: Place, statement: string): Promise<unknown[]> {
  if (databaseUrl === null) {
    const file = new BetterSqlite3(join(dataDir, SQLITE_FILE), { readonly: true })
    try {
      return file.prepare(statement).all()
    } finally {
      file.close()
    }
  }
  const client = new Client({ connectionString: databaseUrl })
  await client.connect()
  try {
    return (await client.query<Record<string, unknown>>(statement)).rows
  } finally {
    await client.end()
  }
}
