// A database with many finished tasks. SQLite computes the rows from a number, so that a million take a minute.
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import BetterSqlite3 from 'better-sqlite3'
import { DEFAULT_PROJECT } from '../src/db/access/projects.ts'
import { openDatabase } from '../src/db/open.ts'
import { createLog } from '../src/log.ts'

const DAY_MS = 86_400_000

/** The tasks are spread evenly over the year that ends at `TO`. */
export const TO = Math.floor(Date.now() / DAY_MS) * DAY_MS
export const FROM = TO - 365 * DAY_MS

/** Of the model that only `n = 0` has. */
export const RARE_MODEL = 'model-rare'

/** Fills the database of a new folder. Of 100 tasks, 94 succeed, 4 fail, and 2 need review. */
export async function fillTasks(dataDir: string, tasks: number): Promise<void> {
  const opened = await openDatabase({
    databaseUrl: null,
    dataDir,
    onWakeUp: () => {},
    log: createLog('silent'),
  })
  await opened.close()
  const db = new BetterSqlite3(join(dataDir, 'darkroom.db'))
  // There is no need for durability.
  for (const pragma of ['foreign_keys = OFF', 'synchronous = OFF', 'cache_size = -500000']) db.pragma(pragma)
  // Sorted at the end they take a fraction of the time.
  const later = db
    .prepare<[], { type: string; name: string; sql: string }>(
      `select type, name, sql from sqlite_master where tbl_name in ('tasks', 'attempts') and type in ('index', 'trigger') and sql is not null`,
    )
    .all()
  for (const { type, name } of later) db.exec(`drop ${type} ${name}`)
  for (const statement of [...statements(tasks), ...labelStatements()]) db.exec(statement)
  for (const { sql } of later) db.exec(sql)
  db.pragma('wal_checkpoint(TRUNCATE)')
  db.close()
}

/** What the triggers do, for all tasks at once: as the migration does it for the tasks of an older version. */
function labelStatements(): string[] {
  const [migration = ''] = globSync('drizzle/sqlite/*_task_search/migration.sql')
  return readFileSync(migration, 'utf8')
    .split('--> statement-breakpoint')
    .filter((statement) => /^\s*insert (?:or ignore )?into task_(?:labels|inputs)/.test(statement))
}

const HASH = '((n * 2654435761) % 4294967296)'
const ID = "printf('%026d', n)"

function statements(tasks: number): string[] {
  const numbers = `(with recursive number(n) as (select 0 union all select n + 1 from number where n + 1 < ${tasks}) select n, ${HASH} / 7 % 100 as kind from number)`
  const createdAt = `${FROM} + (n * ${TO - FROM}) / ${tasks}`
  const status = `case when kind < 94 then 'SUCCEEDED' when kind < 99 then 'FAILED' else 'OUTCOME_UNKNOWN' end`
  const model = `case n when 0 then '${RARE_MODEL}' else 'model-' || (${HASH} / 120 % 4) end`
  const task = {
    id: `'task_' || ${ID}`,
    project_id: `'${DEFAULT_PROJECT}'`,
    status,
    operation: `case when n % 10 = 0 then 'EDIT' else 'GENERATE' end`,
    model,
    request: `json_object('operation', 'GENERATE', 'prompt', 'a red fox in the snow, number ' || n || ', at the end of a winter day, in soft light', 'user', 'user-' || (${HASH} % 5000), 'quality', case n % 3 when 0 then 'LOW' when 1 then 'MEDIUM' else 'HIGH' end, 'size', case n % 2 when 0 then '1024x1024' else '1536x1024' end, 'images', json('[]'), 'metadata', json_object('team', 'team-' || (${HASH} / 11 % 40)), 'n', 1)`,
    fingerprint: `'${'f'.repeat(64)}'`,
    max_charges: '1',
    charges_open: `case when kind < 94 then 1 else 0 end`,
    warnings: `'[]'`,
    created_at: createdAt,
    started_at: createdAt,
    finished_at: `case when kind < 99 then ${createdAt} + 30000 end`,
  }
  const attempt = {
    id: `'att_' || ${ID}`,
    task_id: `'task_' || ${ID}`,
    project_id: `'${DEFAULT_PROJECT}'`,
    number: '1',
    provider: `'provider-' || (${HASH} / 20 % 6)`,
    model,
    state: `case when kind < 94 then 'SUCCEEDED' when kind < 99 then 'FAILED' else 'UNKNOWN' end`,
    // Of 5 failures, one has no known cost, and one an estimate.
    charged: `case when kind < 94 then 'YES' when kind < 97 then 'NO' else 'UNKNOWN' end`,
    run_after: '0',
    images: `case when kind < 94 then 1 else 0 end`,
    cost_micros: `case when kind < 94 then ${HASH} % 300000 end`,
    held_micros: `300000`,
    estimated_micros: `case kind when 98 then 40000 end`,
    resolved: `case when kind < 94 then json_object('quality', 'HIGH') end`,
    usage_source: `case when kind < 94 then 'REPORTED' else 'UNKNOWN' end`,
    input_tokens: `${HASH} % 1000`,
    output_tokens: `${HASH} % 9000`,
    total_tokens: `${HASH} % 10000`,
    created_at: createdAt,
    sent_at: createdAt,
    finished_at: `case when kind < 99 then ${createdAt} + 30000 end`,
  }
  const counts = ['images', 'cost_micros', 'input_tokens', 'output_tokens', 'total_tokens']
  const rollup = (table: string, lengthMs: number, order: string) =>
    `insert into ${table} (starts_at, provider, model, api_key_id, project_id, tasks, attempts, ${counts.join(', ')})
     select created_at - created_at % ${lengthMs}, provider, model, '', project_id, count(*), count(*), ${counts.map((name) => `coalesce(sum(${name}), 0)`).join(', ')}
     from attempts group by 1, 2, 3, 4, 5 order by ${order}`
  return [
    insert('tasks', task, numbers),
    insert('attempts', attempt, numbers),
    rollup('usage_days', DAY_MS, '1, 2, 3, 5, 4'),
    rollup('usage_quarter_hours', 900_000, '5, 1, 2, 3, 4'),
  ]
}

function insert(table: string, columns: Record<string, string>, from: string): string {
  const [names, values] = [Object.keys(columns), Object.values(columns)]
  return `insert into ${table} (${names.join(', ')}) select ${values.join(', ')} from ${from}`
}
