import { copyFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inject } from 'vitest'
import { createDatabase, dropDatabase, returnDatabase, takeDatabase, urlOf } from './postgresql-databases.ts'

export type DatabaseKind = 'sqlite' | 'postgresql'

/** The suites of the database and of the engine run on each. */
export const DATABASES: DatabaseKind[] = ['sqlite', 'postgresql']

export interface Place {
  databaseUrl: string | null
  dataDir: string
  /** The bucket of its images; by default they are in the data folder. */
  assetsUrl?: string
  remove(): Promise<void>
}

/** A database without rows, and a data folder. It has a schema, which is copied from a template. */
export async function newPlace(kind: DatabaseKind): Promise<Place> {
  const place = await newFolder()
  if (kind === 'sqlite') {
    await copyFile(inject('sqliteTemplate'), join(place.dataDir, 'darkroom.db'))
    return place
  }
  const [server, template] = [inject('postgresqlUrl'), inject('postgresqlTemplate')]
  const name = await takeDatabase(server, template)
  return onPostgresql(place, urlOf(server, name), () => returnDatabase(server, template, name))
}

/** A database without a schema, as before the first start, and a data folder. */
export async function newEmptyPlace(kind: DatabaseKind): Promise<Place> {
  const place = await newFolder()
  if (kind === 'sqlite') return place
  const server = inject('postgresqlUrl')
  const name = await createDatabase(server)
  return onPostgresql(place, urlOf(server, name), () => dropDatabase(server, name))
}

async function newFolder(): Promise<Place> {
  const dataDir = await mkdtemp(join(tmpdir(), 'darkroom-test-'))
  return { databaseUrl: null, dataDir, remove: () => rm(dataDir, { recursive: true, force: true }) }
}

function onPostgresql(folder: Place, databaseUrl: string, release: () => Promise<void>): Place {
  return {
    databaseUrl,
    dataDir: folder.dataDir,
    async remove() {
      await release()
      await folder.remove()
    },
  }
}
