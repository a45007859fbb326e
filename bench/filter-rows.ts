// The tasks of the filters bench, the same in each database, which computes them from a number.
import BetterSqlite3 from 'better-sqlite3'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Client } from 'pg'
import { DEFAULT_PROJECT } from '../src/db/access/projects.ts'
import { MIGRATIONS } from '../src/db/connection/migrations.ts'
import { FROM, TO } from './days.ts'
import { otherRows } from './list-rows.ts'

const KEYS = 20
const USERS = 5_000
const TEAMS = 40

/** Expressions for task number `n`; `f` has what the databases do differently. */
function columnsOf(tasks: number, f: Functions): { task: Columns; attempt: Columns; words: Columns } {
  const hash = '((n * 2654435761) % 4294967296)'
  const kind = `((${hash} / 7) % 100)`
  const id = (prefix: string, n = 'n') => `'${prefix}_' || ${f.pad(n)}`
  const createdAt = `(${FROM} + (n * ${TO - FROM}) / ${tasks})`
  const status = `case when ${kind} < 94 then 'SUCCEEDED' when ${kind} < 99 then 'FAILED' else 'OUTCOME_UNKNOWN' end`
  const finishedAt = `case when ${kind} < 99 then ${createdAt} + 30000 end`
  const model = `'model-' || ((${hash} / 120) % 4)`
  // Words of a fifth, of a thousandth and of one prompt, with some that all have.
  const words = `'a red fox in the snow at end of winter day soft light common' || (${hash} % 5) || ' rare' || ((${hash} / 3) % 1000) || ' word' || n`
  return {
    task: {
      id: id('task'),
      project_id: `'${DEFAULT_PROJECT}'`,
      api_key_id: id('key', `((${hash} / 13) % ${KEYS})`),
      status,
      operation: `case when n % 10 = 0 then 'EDIT' else 'GENERATE' end`,
      model,
      request: f.json(
        `{"operation":"GENERATE","images":[],"mask":null,"n":1,"prompt":"' || ${words} || '","user":"user-' || (${hash} % ${USERS}) || '","metadata":{"team":"team-' || ((${hash} / 11) % ${TEAMS}) || '"}}`,
      ),
      fingerprint: `'${'f'.repeat(64)}'`,
      max_charges: '1',
      charges_open: `case when ${kind} < 94 then 1 else 0 end`,
      warnings: f.json(`' || case when n % 50 = 0 then '[{}]' else '[]' end || '`),
      created_at: createdAt,
      finished_at: finishedAt,
    },
    attempt: {
      id: id('att'),
      task_id: id('task'),
      project_id: `'${DEFAULT_PROJECT}'`,
      number: '1',
      provider: `'provider-' || ((${hash} / 20) % 6)`,
      model,
      state: `case when ${kind} < 94 then 'SUCCEEDED' when ${kind} < 99 then 'FAILED' else 'UNKNOWN' end`,
      charged: `case when ${kind} < 94 then 'YES' when ${kind} < 97 then 'NO' else 'UNKNOWN' end`,
      run_after: '0',
      created_at: createdAt,
      sent_at: createdAt,
      finished_at: finishedAt,
    },
    words: {
      seq: `${createdAt} * 1024 + n % 1024`,
      task_id: id('task'),
      words: f.words(
        `lower('${DEFAULT_PROJECT} _' || ${f.hex(`'user:user-' || (${hash} % ${USERS})`)} || ' ' || ${words})`,
      ),
    },
  }
}

type Columns = Record<string, string>

interface Functions {
  hex: (text: string) => string
  pad: (n: string) => string
  /** Of the inside of a text literal. */
  json: (text: string) => string
  words: (text: string) => string
}

function statements(tasks: number, numbers: string, f: Functions): string[] {
  const { task, attempt, words } = columnsOf(tasks, f)
  return Object.entries({ tasks: task, attempts: attempt, task_words: words }).map(
    ([table, columns]) =>
      `insert into ${table} (${Object.keys(columns).join()}) select ${Object.values(columns).join()} from ${numbers}`,
  )
}

const sqliteNumbers = (count: number) =>
  `(with recursive number(n) as (select 0 union all select n + 1 from number where n + 1 < ${count}) select n from number)`
const sqlitePad = (n: string) => `printf('%026d', ${n})`

/** Of a database that was opened before. */
export function fillSqlite(dataDir: string, tasks: number): void {
  const functions = {
    pad: sqlitePad,
    json: (text: string) => `'${text}'`,
    words: (text: string) => text,
    hex: (text: string) => `hex(${text})`,
  }
  runOnSqlite(dataDir, statements(tasks, sqliteNumbers(tasks), functions))
}

export function fillOthersOnSqlite(dataDir: string, rows: number): void {
  runOnSqlite(dataDir, otherRows(rows, sqliteNumbers, sqlitePad))
}

function runOnSqlite(dataDir: string, texts: readonly string[]): void {
  const db = new BetterSqlite3(join(dataDir, 'darkroom.db'))
  // There is no need for durability.
  for (const pragma of ['foreign_keys = OFF', 'synchronous = OFF', 'cache_size = -500000']) db.pragma(pragma)
  for (const text of texts) db.exec(text)
  db.pragma('wal_checkpoint(TRUNCATE)')
  db.close()
}

const postgresqlNumbers = (count: number) => `generate_series(0, ${count - 1}::bigint) as n`
const postgresqlPad = (n: string) => `lpad((${n})::text, 26, '0')`

/** Of a database that was opened before. */
export async function fillPostgresql(url: string, tasks: number): Promise<void> {
  const functions = {
    pad: postgresqlPad,
    json: (text: string) => `('${text}')::jsonb`,
    words: (text: string) => `array_to_tsvector(string_to_array(${text}, ' '))`,
    hex: (text: string) => `encode(convert_to(${text}, 'UTF8'), 'hex')`,
  }
  await runOnPostgresql(url, [
    ...statements(tasks, postgresqlNumbers(tasks), functions),
    LABELS,
    ...classes(),
  ])
}

export async function fillOthersOnPostgresql(url: string, rows: number): Promise<void> {
  await runOnPostgresql(url, otherRows(rows, postgresqlNumbers, postgresqlPad))
}

/** Without triggers, which take minutes for a million rows. */
async function runOnPostgresql(url: string, texts: readonly string[]): Promise<void> {
  const client = new Client(url)
  await client.connect()
  for (const text of ['set session_replication_role = replica', 'begin', ...texts, 'commit'])
    await client.query(text)
  await client.query('vacuum analyze')
  await client.end()
}

/** As the trigger of an insert. */
const LABELS = `insert into task_labels (project_id, label, created_at, task_id)
  select project_id, label, created_at, id from tasks, lateral (
    select 'key:' || api_key_id as label
    union all select 'user:' || (request ->> 'user')
    union all select 'metadata:' || key || '=' || value from jsonb_each_text(request -> 'metadata')
  ) as labels`

/** As the migration does for existing tasks. */
function classes(): string[] {
  const folder = MIGRATIONS.postgresql
  const name = readdirSync(folder).find((one) => one.endsWith('_task_classes'))!
  return readFileSync(join(folder, name, 'migration.sql'), 'utf8')
    .split('--> statement-breakpoint')
    .filter((text) => /^\s*(?:INSERT|CREATE TEMPORARY TABLE) /.test(text))
}
