import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { inject } from 'vitest'

export type DatabaseKind = 'sqlite' | 'postgresql'

/** Every suite of the database and of the engine runs once on each. */
export const DATABASES: DatabaseKind[] = ['sqlite', 'postgresql']

export interface Place {
  databaseUrl: string | null
  dataDir: string
  remove(): Promise<void>
}

/** A new empty database and data folder of the kind asked for. */
export async function newPlace(kind: DatabaseKind): Promise<Place> {
  const dataDir = await mkdtemp(join(tmpdir(), 'darkroom-test-'))
  const removeFolder = () => rm(dataDir, { recursive: true, force: true })
  if (kind === 'sqlite') return { databaseUrl: null, dataDir, remove: removeFolder }

  const server = inject('postgresqlUrl')
  const name = `test_${randomUUID().replaceAll('-', '')}`
  await onServer(server, `create database ${name}`)
  return {
    databaseUrl: server.replace(/\/postgres$/, `/${name}`),
    dataDir,
    async remove() {
      await onServer(server, `drop database ${name} with (force)`)
      await removeFolder()
    },
  }
}

async function onServer(url: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}
