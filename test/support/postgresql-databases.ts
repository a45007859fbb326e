// Databases of one PostgreSQL server. A test takes one, and returns it to the next test: deleting rows takes a tenth of the
// time of creating a database.
import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { Client } from 'pg'

/** A migrated database that others are copied from. */
export interface Template {
  name: string
  /** Statements that restore its rows. */
  reset: string
  schema: string
}

const TABLES = `select format('%I.%I', schemaname, tablename) as name from pg_tables
  where schemaname not in ('pg_catalog', 'information_schema') order by 1`

/** Changes when a test changes a table, an index or a trigger. */
const SCHEMA = `select md5(string_agg(row, ',' order by row)) as schema from (
    select format('%s %s %s', attrelid::regclass, attname, atttypid) as row from pg_attribute
      join pg_class on pg_class.oid = attrelid where relnamespace = 'public'::regnamespace
    union all select format('%s %s', tgrelid::regclass, tgname) from pg_trigger
  ) as rows(row)`

/** Reads what is needed to restore a migrated database, and prepares the server for `takeDatabase`. */
export async function describeTemplate(server: string, name: string): Promise<Template> {
  await runOn(server, 'create table free_databases (name text primary key)')
  const [{ schema } = { schema: '' }] = await readFrom<{ schema: string }>(urlOf(server, name), SCHEMA)
  const tables = await readFrom<{ name: string }>(urlOf(server, name), TABLES)
  const statements = tables.map(async ({ name: table }) => {
    const [row] = await readFrom<{ rows: unknown }>(
      urlOf(server, name),
      `select json_agg(t) as rows from ${table} as t`,
    )
    const rows = JSON.stringify(row?.rows ?? []).replaceAll("'", "''")
    return `delete from ${table}; insert into ${table} select * from json_populate_recordset(null::${table}, '${rows}');`
  })
  return { name, schema, reset: (await Promise.all(statements)).join('\n') }
}

/** The name of a database without rows that no other test uses. */
export async function takeDatabase(server: string, template: Template): Promise<string> {
  const [free] = await readFrom<{ name: string }>(
    server,
    `delete from free_databases where name =
      (select name from free_databases limit 1 for update skip locked) returning name`,
  )
  return free?.name ?? createDatabase(server, `template ${template.name}`)
}

export async function createDatabase(server: string, from = ''): Promise<string> {
  const name = `test_${randomUUID().replaceAll('-', '')}`
  await runOn(server, `create database ${name} ${from}`)
  return name
}

/** Makes a database available to other tests, or drops it when it is in use, was altered, or cannot be reset. */
export async function returnDatabase(server: string, template: Template, name: string): Promise<void> {
  if ((await isUnused(server, name)) && (await reset(server, template, name).catch(() => false)))
    await runOn(server, `insert into free_databases values ('${name}')`)
  else await dropDatabase(server, name)
}

export function dropDatabase(server: string, name: string): Promise<void> {
  return runOn(server, `drop database ${name} with (force)`)
}

/** Waits a moment, because the server notices late that a connection was closed. */
async function isUnused(server: string, name: string): Promise<boolean> {
  for (let nth = 0; nth < 10; nth++) {
    const connections = await readFrom(server, `select from pg_stat_activity where datname = '${name}'`)
    if (connections.length === 0) return true
    await pause(20)
  }
  return false
}

async function reset(server: string, template: Template, name: string): Promise<boolean> {
  const [row] = await readFrom<{ schema: string }>(urlOf(server, name), SCHEMA)
  if (row?.schema !== template.schema) return false
  await runOn(urlOf(server, name), `set session_replication_role = replica; ${template.reset}`)
  return true
}

/** The URL of another database of the server. */
export function urlOf(server: string, name: string): string {
  return server.replace(/\/postgres$/, `/${name}`)
}

export async function runOn(url: string, statement: string): Promise<void> {
  await readFrom(url, statement)
}

async function readFrom<Row extends object>(url: string, query: string): Promise<Row[]> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query<Row>(query)).rows
  } finally {
    await client.end()
  }
}
