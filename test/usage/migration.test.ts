// Migrates a database from before the ledger: its attempts are in the ledger, the budgets and the usage afterwards.
import { cp, mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import BetterSqlite3 from 'better-sqlite3'
import { drizzle as drizzleSqlite } from 'drizzle-orm/better-sqlite3'
import { migrate as migrateSqlite } from 'drizzle-orm/better-sqlite3/migrator'
import { drizzle as drizzlePostgresql } from 'drizzle-orm/node-postgres'
import { migrate as migratePostgresql } from 'drizzle-orm/node-postgres/migrator'
import { Client } from 'pg'
import { describe, expect, it, onTestFinished } from 'vitest'
import { MIGRATIONS } from '../../src/db/connection/migrations.ts'
import { openDatabase } from '../../src/db/open.ts'
import { DEFAULT_PROJECT } from '../../src/db/access/projects.ts'
import { SQLITE_FILE } from '../../src/db/connection/sqlite.ts'
import { listAttempts } from '../../src/db/attempts/attempts.ts'
import { applyTransition } from '../../src/engine/attempts/apply-transition.ts'
import { reportUsage } from '../../src/engine/usage/report.ts'
import { createLog } from '../../src/log.ts'
import { darkroom } from '../cli/darkroom.ts'
import { DATABASES, newEmptyPlace, type DatabaseKind, type Place } from '../support/database.ts'
import { openEngine, type TestEngine } from '../support/engine.ts'
import { done, failure, held, REPORTED, scripted } from '../support/scripted.ts'

type Row = Record<string, unknown>

/** Reads and writes rows without the schema of this version. */
interface Raw {
  tables(): Promise<string[]>
  columns(table: string): Promise<string[]>
  all(query: string): Promise<Row[]>
  insert(table: string, row: Row): Promise<void>
  close(): Promise<void>
}

describe.each(DATABASES)('a database of the first version on %s', (kind) => {
  it('has its ledger, spending and usage after the migration', async () => {
    await using engine = await openEngine({ database: kind, providers: [providerByPrompt()] })
    const states = await createEveryState(engine)
    const old = await newEmptyPlace(kind)
    onTestFinished(() => old.remove())
    await createFirstVersion(old, engine.place)

    const env = { DATA_DIR: old.dataDir, DATABASE_URL: old.databaseUrl ?? '' }
    const run = (...args: string[]) => darkroom(args, { cwd: old.dataDir, env })
    expect(await run('migrate')).toMatchObject({ exitCode: 0 })
    expect(await run('doctor', '--skip-files')).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('hold.'),
    })

    const db = await openDatabase({ ...old, onWakeUp: () => {}, log: createLog('silent') })
    onTestFinished(() => db.close())
    const query = { from: 0, to: null, groupBy: [], filter: {}, timeZone: 'UTC', metadataKey: null }
    const reportOf = (of: typeof db) =>
      reportUsage(of.read, { ...query, projectId: DEFAULT_PROJECT }, Date.now())
    const [{ totals: before }, { totals: after }] = [await reportOf(engine.db), await reportOf(db)]
    expect(before).toMatchObject({ tasks: states.length, images: 2, costMicros: 3050 })
    // The first version did not store the maximum cost of an attempt.
    expect(before.heldMicros).toBeGreaterThan(0)
    expect(after).toEqual({ ...before, heldMicros: 0 })

    // An attempt that was open then can be settled.
    const open = (await listAttempts(db.read, states)).find(({ state }) => state === 'UNKNOWN')!
    await db.tx((q) =>
      applyTransition(q, open.id, 'fail', { at: Date.now(), charged: 'YES', costMicros: 700 }),
    )
    expect((await reportOf(db)).totals.costMicros).toBe(3750)
    const spending = await db.read.sql.select().from(db.read.tables.spending)
    expect(spending.filter(({ period }) => period === 'TOTAL')).toMatchObject([{ spentMicros: 3750 }])
  })
})

/** A provider whose calls end as their prompt says. */
function providerByPrompt() {
  const never = held()
  return scripted(
    (sent) => {
      const { prompt } = sent.order
      if (prompt === 'done') return done(sent, REPORTED)
      if (prompt === 'done, tokens unknown') return done(sent)
      if (prompt === 'rejected') return Promise.reject(failure('rejected'))
      if (prompt === 'lost') return Promise.reject(failure('lost'))
      if (prompt === 'broken') return Promise.reject(failure('broken'))
      if (prompt === 'unreached') return Promise.reject(failure('unreached'))
      if (prompt === 'accepted')
        return Promise.resolve({ state: 'ACCEPTED', remoteId: 'r-1', checkAfterMs: 60_000 })
      return never.answer(sent)
    },
    { concurrency: 8, check: () => Promise.reject(failure('unreached')) },
  )
}

const PROMPTS = {
  done: 'SUCCEEDED',
  'done, tokens unknown': 'SUCCEEDED',
  rejected: 'FAILED',
  lost: 'OUTCOME_UNKNOWN',
  broken: 'FAILED',
  unreached: 'FAILED',
  accepted: 'RUNNING',
  sending: 'RUNNING',
} as const

/** Creates attempts in every state that persists, and returns the ids of their tasks. */
async function createEveryState(engine: TestEngine): Promise<string[]> {
  const ids: string[] = []
  for (const [prompt, status] of Object.entries(PROMPTS)) {
    const { id } = await engine.create({ prompt })
    await engine.reached(id, status)
    ids.push(id)
  }
  await engine.engine.pauseProvider({ provider: 'scripted', model: null }, 'so that the next tasks wait')
  const waits = await engine.create({ prompt: 'waits' })
  const canceled = await engine.create({ prompt: 'canceled' })
  await engine.engine.cancelTask(DEFAULT_PROJECT, canceled.id)
  const all = [...ids, waits.id, canceled.id]
  const states = new Set((await listAttempts(engine.db.read, all)).map(({ state }) => state))
  expect(states).toEqual(
    new Set([
      'SUCCEEDED',
      'REJECTED',
      'UNKNOWN',
      'FAILED',
      'NOT_SENT',
      'ACCEPTED',
      'SENDING',
      'PLANNED',
      'CANCELED',
    ]),
  )
  return all
}

/** Tables and columns of the first version that have other names now. */
const RENAMED: Readonly<Record<string, string>> = {
  provider_rests: 'provider_cooldowns',
  missing: 'missing_checks',
  lane: 'slot',
}

/** Creates a database of the first version with the rows of another one. */
async function createFirstVersion(old: Place, from: Place): Promise<void> {
  const kind: DatabaseKind = old.databaseUrl === null ? 'sqlite' : 'postgresql'
  const folder = join(old.dataDir, 'migrations')
  const [first = ''] = (await readdir(MIGRATIONS[kind])).toSorted()
  await mkdir(folder)
  await cp(join(MIGRATIONS[kind], first), join(folder, first), { recursive: true })
  const [target, source] = [await openRaw(old, folder), await openRaw(from)]
  try {
    const tables = await target.tables()
    expect(tables).not.toContain('ledger')
    // Referenced tables first.
    const inOrder = [
      'projects',
      'tasks',
      'attempts',
      ...tables.filter((name) => !['projects', 'tasks', 'attempts'].includes(name)),
    ]
    for (const table of inOrder) {
      const columns = await target.columns(table)
      const selected = columns.map((name) => `"${RENAMED[name] ?? name}" as "${name}"`).join(', ')
      for (const row of await source.all(`select ${selected} from ${RENAMED[table] ?? table}`))
        await target.insert(table, row)
    }
  } finally {
    await target.close()
    await source.close()
  }
}

async function openRaw(place: Place, migrations?: string): Promise<Raw> {
  return place.databaseUrl === null
    ? openRawSqlite(place, migrations)
    : openRawPostgresql(place.databaseUrl, migrations)
}

function openRawSqlite({ dataDir }: Place, migrationsFolder?: string): Raw {
  const db = new BetterSqlite3(join(dataDir, SQLITE_FILE))
  if (migrationsFolder) migrateSqlite(drizzleSqlite({ client: db }), { migrationsFolder })
  const all = async (query: string) => db.prepare<[], Row>(query).all()
  return {
    all,
    tables: async () =>
      (
        await all(
          `select name from sqlite_master where type = 'table' and name not like '\\_\\_%' escape '\\' and name not like 'sqlite%'`,
        )
      ).map(({ name }) => String(name)),
    columns: async (table) => (await all(`pragma table_info(${table})`)).map(({ name }) => String(name)),
    insert: async (table, row) => {
      const names = Object.keys(row)
      db.prepare(
        `insert into ${table} (${names.map((name) => `"${name}"`).join()}) values (${names.map(() => '?').join()})`,
      ).run(Object.values(row))
    },
    close: async () => void db.close(),
  }
}

async function openRawPostgresql(url: string, migrationsFolder?: string): Promise<Raw> {
  const client = new Client({ connectionString: url })
  await client.connect()
  if (migrationsFolder) await migratePostgresql(drizzlePostgresql({ client }), { migrationsFolder })
  const all = async (query: string) => (await client.query<Row>(query)).rows
  return {
    all,
    tables: async () =>
      (await all(`select table_name from information_schema.tables where table_schema = 'public'`)).map(
        ({ table_name }) => String(table_name),
      ),
    columns: async (table) =>
      (
        await all(
          `select column_name from information_schema.columns where table_schema = 'public' and table_name = '${table}'`,
        )
      ).map(({ column_name }) => String(column_name)),
    insert: async (table, row) => {
      const names = Object.keys(row)
      const values = Object.values(row).map((value) =>
        value !== null && typeof value === 'object' ? JSON.stringify(value) : value,
      )
      await client.query(
        `insert into ${table} (${names.map((name) => `"${name}"`).join()}) values (${names.map((_, nth) => `$${nth + 1}`).join()})`,
        values,
      )
    },
    close: () => client.end(),
  }
}
