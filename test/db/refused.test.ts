import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import BetterSqlite3 from 'better-sqlite3'
import { Client } from 'pg'
import { describe, expect, it, onTestFinished } from 'vitest'
import { darkroom } from '../cli/darkroom.ts'
import { DATABASES, newPlace, type Place } from '../support/database.ts'

async function placeOf(database: (typeof DATABASES)[number]): Promise<Place> {
  const place = await newPlace(database)
  onTestFinished(() => place.remove())
  return place
}

function run(command: string, { databaseUrl, dataDir }: Place) {
  const env = { DATABASE_URL: databaseUrl ?? '', DATA_DIR: dataDir, PORT: '0' }
  return darkroom([command], { cwd: tmpdir(), env })
}

const UNKNOWN_MIGRATION = "(hash, created_at, name) values ('x', 9999999999999, '20991231235959_moons')"

async function applyUnknownMigration({ databaseUrl, dataDir }: Place): Promise<void> {
  if (databaseUrl === null) {
    const db = new BetterSqlite3(join(dataDir, 'darkroom.db'))
    db.exec(`insert into __drizzle_migrations ${UNKNOWN_MIGRATION}`)
    db.close()
    return
  }
  const client = new Client({ connectionString: databaseUrl })
  await client.connect()
  await client.query(`insert into drizzle.__drizzle_migrations ${UNKNOWN_MIGRATION}`)
  await client.end()
}

describe.each(DATABASES)('a database on %s', (database) => {
  it('that a newer version has migrated is refused', async () => {
    const place = await placeOf(database)
    expect(await run('migrate', place)).toMatchObject({ exitCode: 0 })
    await applyUnknownMigration(place)
    for (const command of ['migrate', 'serve']) {
      const { exitCode, stderr } = await run(command, place)
      expect(exitCode).toBe(78)
      expect(stderr).toContain('was last used by a newer Darkroom: it has the migration 20991231235959_moons')
    }
  })
})

describe('a data folder', () => {
  it('that is not writable is refused with its path', async () => {
    const place = await placeOf('sqlite')
    const file = join(place.dataDir, 'a-file')
    await writeFile(file, '')
    const { exitCode, stderr } = await run('serve', { ...place, dataDir: join(file, 'data') })
    expect(exitCode).toBe(78)
    expect(stderr).toContain(`DATA_DIR is "${file}/data"; it is not writable (ENOTDIR`)
  })
})
