// The attempts of the report bench. The database computes the rows from a number, so that ten million take minutes, and
// are the same in each database.
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import BetterSqlite3 from 'better-sqlite3'
import { Client } from 'pg'
import { openDatabase } from '../src/db/open.ts'
import { createLog } from '../src/log.ts'

export const [FROM, TO] = [Date.UTC(2026, 0), Date.UTC(2027, 0)]
/** A month without a change of the clocks. */
export const MONTH = { from: Date.UTC(2026, 10), to: Date.UTC(2026, 11) }

export const projectOf = (number: number) => `prj_${String(number).padStart(26, '0')}`

/** The columns of attempt number `n`; `div` is the integer division of the database. */
function columnsOf(attempts: number, div: string): Record<string, string> {
  const hash = '((n * 2654435761) % 4294967296)'
  return {
    created_at: `${FROM} + (n * ${TO - FROM}) ${div} ${attempts}`,
    provider: `'provider-' || ((${hash} ${div} 20) % 6)`,
    model: `'model-' || ((${hash} ${div} 120) % 4)`,
    images: `1 + ${hash} % 2`,
    cost_micros: `${hash} % 300000`,
    input_tokens: `${hash} % 1000`,
    output_tokens: `${hash} % 9000`,
    total_tokens: `${hash} % 10000`,
    input_text_tokens: `${hash} % 100`,
    output_image_tokens: `${hash} % 8000`,
    project: `(${hash} % 20)`,
  }
}

/** The rows for DuckDB, which aggregates on read. */
export function duckRows(attempts: number): string {
  const { project, ...columns } = columnsOf(attempts, '//')
  const named = Object.entries(columns).map(([name, value]) => `${value} as ${name}`)
  return `select ${named.join(', ')}, 'prj_' || lpad((${project})::varchar, 26, '0') as project_id from (select range as n from range(${attempts}))`
}

/** Statements that fill the tables, with the usage counts. */
function statements(
  attempts: number,
  { numbers, id }: { numbers: string; id: (n: string) => string },
): string[] {
  const { project = '', ...columns } = columnsOf(attempts, '/')
  const fixed = {
    id: `'att_' || ${id('n')}`,
    task_id: `'task_' || ${id('n')}`,
    project_id: `'prj_' || ${id(project)}`,
    number: '1',
    state: `'SUCCEEDED'`,
    charged: `'YES'`,
    run_after: '0',
    usage_source: `'REPORTED'`,
  }
  const all = Object.entries({ ...fixed, ...columns })
  const counts = [
    'images',
    'cost_micros',
    'input_tokens',
    'output_tokens',
    'total_tokens',
    'input_text_tokens',
    'output_image_tokens',
  ]
  const rollup = (table: string, length: number, order: string) =>
    `insert into ${table} (starts_at, provider, model, api_key_id, project_id, tasks, attempts, ${counts.join(', ')})
     select created_at - created_at % ${length}, provider, model, '', project_id, count(*), count(*), ${counts.map((name) => `sum(${name})`).join(', ')}
     from attempts group by 1, 2, 3, 4, 5 order by ${order}`
  return [
    ...Array.from(
      { length: 20 },
      (_, nth) =>
        `insert into projects (id, name, created_at) values ('${projectOf(nth)}', 'bench', 0) on conflict do nothing`,
    ),
    `insert into attempts (${all.map(([name]) => name).join(', ')}) select ${all.map(([, value]) => value).join(', ')} from ${numbers}`,
    // The only index of attempts that reports use.
    'create index attempts_by_time on attempts (project_id, created_at)',
    rollup('usage_days', 86_400_000, '1, 2, 3, 5, 4'),
    rollup('usage_quarter_hours', 900_000, '5, 1, 2, 3, 4'),
    'analyze',
  ]
}

export function newFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'darkroom-report-'))
}

async function migrated(databaseUrl: string | null, dataDir: string): Promise<void> {
  const db = await openDatabase({ databaseUrl, dataDir, onWakeUp: () => {}, log: createLog('silent') })
  await db.close()
}

export async function fillSqlite(dataDir: string, attempts: number): Promise<void> {
  await migrated(null, dataDir)
  const db = new BetterSqlite3(join(dataDir, 'darkroom.db'))
  // There are no tasks, and no need for durability.
  for (const pragma of ['foreign_keys = OFF', 'synchronous = OFF', 'cache_size = -1000000']) db.pragma(pragma)
  const numbers = `(with recursive number(n) as (select 0 union all select n + 1 from number where n + 1 < ${attempts}) select n from number)`
  const indexes = db
    .prepare<[], { name: string }>(
      `select name from sqlite_master where tbl_name = 'attempts' and type = 'index' and sql is not null`,
    )
    .all()
  for (const { name } of indexes) db.exec(`drop index ${name}`)
  for (const statement of statements(attempts, { numbers, id: (n) => `printf('%026d', ${n})` }))
    db.exec(statement)
  db.close()
}

export async function fillPostgresql(
  server: string,
  databaseUrl: string,
  name: string,
  dataDir: string,
  attempts: number,
): Promise<void> {
  await run(server, [`create database ${name}`])
  await migrated(databaseUrl, dataDir)
  const numbers = `(select n::bigint as n from generate_series(0, ${attempts - 1}) as number(n)) as numbers`
  await run(databaseUrl, [
    // There are no tasks.
    'set session_replication_role = replica',
    'set synchronous_commit = off',
    `do $$ declare name text; begin
       for name in select indexname from pg_indexes where tablename = 'attempts' and indexname <> 'attempts_pkey' loop
         execute 'drop index ' || quote_ident(name);
       end loop; end $$`,
    ...statements(attempts, { numbers, id: (n) => `lpad((${n})::text, 26, '0')` }),
    'vacuum usage_days',
    'vacuum usage_quarter_hours',
  ])
}

async function run(url: string, all: string[]): Promise<void> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    for (const statement of all) await client.query(statement)
  } finally {
    await client.end()
  }
}
