import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { newEmptyPlace, newPlace, type DatabaseKind, type Place } from '../support/database.ts'
import { openGateway } from '../support/gateway.ts'
import { darkroom } from './darkroom.ts'

async function run(database: DatabaseKind, ...args: string[]) {
  const place = await newEmptyPlace(database)
  onTestFinished(() => place.remove())
  return { place, ...(await runAt(place, ...args)) }
}

function runAt(place: Place, ...args: string[]) {
  const env = { DATA_DIR: place.dataDir, DATABASE_URL: place.databaseUrl ?? '' }
  return darkroom(args, { cwd: place.dataDir, env })
}

it('backup copies the database of a running server, and names the folders that remain to be copied', async () => {
  const place = await newPlace('sqlite')
  onTestFinished(() => place.remove())
  await using gateway = await openGateway({ place })
  await gateway.ended(await gateway.generate({ prompt: 'a fox', size: '1024x1024' }))
  expect(await runAt(place, 'backup', 'copy.db')).toMatchObject({
    exitCode: 0,
    stdout: expect.stringContaining('/assets.\n') as string,
  })
  expect(existsSync(join(place.dataDir, 'copy.db'))).toBe(true)
  expect(await runAt(place, 'backup', 'copy.db')).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining('exists already; a backup never replaces a file.') as string,
  })
})

it('backup requires a file, and refuses PostgreSQL', async () => {
  expect(await run('sqlite', 'backup')).toMatchObject({
    exitCode: 64,
    stderr: expect.stringContaining('takes one argument: the file to write') as string,
  })
  expect(await run('sqlite', 'backup', 'copy.db')).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining('There is no database in ') as string,
  })
  expect(await run('postgresql', 'backup', 'copy.db')).toMatchObject({
    exitCode: 64,
    stderr: expect.stringContaining('pg_dump') as string,
  })
})
