// The tasks of the filters bench, the same in each database, which computes them from a number.
import BetterSqlite3 from 'better-sqlite3'
import { join } from 'node:path'
import { Client } from 'pg'
import { DEFAULT_PROJECT } from '../src/db/access/projects.ts'

export const DAY_MS = 86_400_000
/** The tasks are spread evenly over the year that ends at `TO`. */
export const TO = Date.UTC(2026, 10, 1)
export const FROM = TO - 365 * DAY_MS

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

/** Of a database that was opened before. */
export function fillSqlite(dataDir: string, tasks: number): void {
  const db = new BetterSqlite3(join(dataDir, 'darkroom.db'))
  // There is no need for durability.
  for (const pragma of ['foreign_keys = OFF', 'synchronous = OFF', 'cache_size = -500000']) db.pragma(pragma)
  const numbers = `(with recursive number(n) as (select 0 union all select n + 1 from number where n + 1 < ${tasks}) select n from number)`
  const functions = {
    pad: (n: string) => `printf('%026d', ${n})`,
    json: (text: string) => `'${text}'`,
    words: (text: string) => text,
    hex: (text: string) => `hex(${text})`,
  }
  for (const statement of statements(tasks, numbers, functions)) db.exec(statement)
  db.pragma('wal_checkpoint(TRUNCATE)')
  db.close()
}

/** Of a database that was opened before. */
export async function fillPostgresql(url: string, tasks: number): Promise<void> {
  const client = new Client(url)
  await client.connect()
  const functions = {
    pad: (n: string) => `lpad((${n})::text, 26, '0')`,
    json: (text: string) => `('${text}')::jsonb`,
    words: (text: string) => `array_to_tsvector(string_to_array(${text}, ' '))`,
    hex: (text: string) => `encode(convert_to(${text}, 'UTF8'), 'hex')`,
  }
  const numbers = `generate_series(0, ${tasks - 1}::bigint) as n`
  for (const statement of statements(tasks, numbers, functions)) await client.query(statement)
  await client.query('vacuum analyze')
  await client.end()
}
