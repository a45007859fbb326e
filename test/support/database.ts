import { randomUUID } from 'node:crypto'
import { copyFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inject } from 'vitest'
import { runOn, urlOf } from './postgresql-server.ts'

export type DatabaseKind = 'sqlite' | 'postgresql'

/** The suites of the database and of the engine run on each. */
export const DATABASES: DatabaseKind[] = ['sqlite', 'postgresql']

export interface Place {
  databaseUrl: string | null
  dataDir: string
  remove(): Promise<void>
}

/** A new database without rows, and a data folder. The schema is copied from a template, which is faster than migrations. */
export async function newPlace(kind: DatabaseKind): Promise<Place> {
  if (kind === 'postgresql') return newPostgresql(`template ${inject('postgresqlTemplate')}`)
  const place = await newSqlite()
  await copyFile(inject('sqliteTemplate'), join(place.dataDir, 'darkroom.db'))
  return place
}

/** The same without a schema, as before the first start. */
export function newEmptyPlace(kind: DatabaseKind): Promise<Place> {
  return kind === 'postgresql' ? newPostgresql() : newSqlite()
}

async function newSqlite(): Promise<Place> {
  const dataDir = await mkdtemp(join(tmpdir(), 'darkroom-test-'))
  return { databaseUrl: null, dataDir, remove: () => rm(dataDir, { recursive: true, force: true }) }
}

async function newPostgresql(from = ''): Promise<Place> {
  const folder = await newSqlite()
  const server = inject('postgresqlUrl')
  const name = `test_${randomUUID().replaceAll('-', '')}`
  await runOn(server, `create database ${name} ${from}`)
  return {
    databaseUrl: urlOf(server, name),
    dataDir: folder.dataDir,
    async remove() {
      await runOn(server, `drop database ${name} with (force)`)
      await folder.remove()
    },
  }
}
