import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import BetterSqlite3 from 'better-sqlite3'
import { Client } from 'pg'
import { describe, expect, onTestFinished, test } from 'vitest'
import { readFinalState } from '../support/final-state.ts'
import { DATABASES, newPlace, type DatabaseKind, type Place } from '../support/database.ts'
import { openGateway } from '../support/gateway.ts'
import { darkroom } from './darkroom.ts'

async function placeOf(database: DatabaseKind): Promise<Place> {
  const place = await newPlace(database)
  onTestFinished(() => place.remove())
  return place
}

/** The binary on a place. */
function run(place: Place, ...args: string[]) {
  const env = { DATA_DIR: place.dataDir, DATABASE_URL: place.databaseUrl ?? '' }
  return darkroom(args, { cwd: place.dataDir, env })
}

/** A finished task and one in doubt, whose ids it answers. */
async function leaveTasks(place: Place): Promise<{ done: string; lost: string }> {
  await using gateway = await openGateway({ place })
  const done = await gateway.generate({ prompt: 'a fox', size: '1024x1024' })
  const lost = await gateway.generate({ prompt: 'a fox [sandbox:vanish]' })
  expect(await gateway.ended(done)).toEqual({ status: 'SUCCEEDED' })
  expect(await gateway.ended(lost)).toEqual({ status: 'OUTCOME_UNKNOWN' })
  return { done, lost }
}

/** Does to the database what nothing of ours would. */
async function tamper(place: Place, statement: string): Promise<void> {
  if (place.databaseUrl === null) {
    const db = new BetterSqlite3(join(place.dataDir, 'darkroom.db'))
    db.exec(statement)
    db.close()
    return
  }
  const client = new Client({ connectionString: place.databaseUrl })
  await client.connect()
  await client.query(statement)
  await client.end()
}

describe.each(DATABASES)('darkroom doctor on %s', (database) => {
  test('finds that everything holds, while no server runs and beside one', async () => {
    const place = await placeOf(database)
    await leaveTasks(place)
    const alone = await run(place, 'doctor')
    expect(alone).toMatchObject({ exitCode: 0, stderr: '' })
    expect(alone.stdout).toMatch(/^ok {8}I1 {3}What was sent counts as possibly charged/m)
    expect(alone.stdout).toMatch(/\nAll (\d+) hold\.\n$/)
    expect(alone.stdout).not.toContain('violated')

    await using server = await openGateway({ place })
    expect(server.gateway.subscriberCount()).toBe(0)
    expect(await run(place, 'doctor')).toEqual(alone)
  })

  test('names what does not hold, with three examples, and exits 1', async () => {
    const place = await placeOf(database)
    const { done } = await leaveTasks(place)
    await tamper(place, `update tasks set charges_open = 0; delete from task_events where seq in (2, 3, 4)`)
    const { assets } = await readFinalState(place)
    const [hash = ''] = assets.map(({ sha256 }) => sha256)
    await rm(join(place.dataDir, 'assets', 'objects', hash.slice(0, 2), hash.slice(2, 4), hash))

    const { exitCode, stdout } = await run(place, 'doctor')
    expect(exitCode).toBe(1)
    expect(stdout).toMatch(/^violated {2}I2 /m)
    expect(stdout).toContain(`${done} counts 0 open charges; its attempts: 1\n`)
    expect(stdout).toMatch(/^violated {2}I7 /m)
    expect(stdout).toMatch(/the file of img_\w+ is missing/)
    expect(stdout).toMatch(/\n3 of \d+ are violated\.\n$/)

    const skipped = await run(place, 'doctor', '--skip-files')
    expect(skipped.stdout).toMatch(/\n2 of \d+ are violated\.\n$/)

    const json = await run(place, 'doctor', '--json')
    expect(json.exitCode).toBe(1)
    const told: { ok: boolean; invariants: { id: string; violations: string[] }[] } = JSON.parse(json.stdout)
    expect(told.ok).toBe(false)
    expect(told.invariants.filter(({ violations }) => violations.length > 0).map(({ id }) => id)).toEqual([
      'I2',
      'I7',
      'I10',
    ])
  })

  test('shows three examples of each and counts the rest', async () => {
    const place = await placeOf(database)
    {
      await using gateway = await openGateway({ place })
      for (let i = 0; i < 5; i++)
        await gateway.ended(await gateway.generate({ prompt: `fox ${i} [sandbox:vanish]` }))
    }
    await tamper(place, 'update tasks set charges_open = 0')
    const { stdout } = await run(place, 'doctor')
    expect(stdout.match(/counts 0 open charges/g)).toHaveLength(3)
    expect(stdout).toContain('… and 2 more\n')
  })

  test('says so when the database is of another version', async () => {
    const place = await placeOf(database)
    await leaveTasks(place)
    await tamper(place, 'alter table attempts rename column wire_phase to phase')
    const { exitCode, stderr } = await run(place, 'doctor')
    expect(exitCode).toBe(1)
    expect(stderr).toContain('was made by another version of Darkroom: run `darkroom migrate`')
  })
})

test('darkroom doctor says when there is no database, and makes none', async () => {
  const place = await placeOf('sqlite')
  const env = { DATA_DIR: join(place.dataDir, 'nothing') }
  const [doctor, attempt] = await Promise.all([
    darkroom(['doctor'], { cwd: place.dataDir, env }),
    darkroom(['attempt', 'att_1'], { cwd: place.dataDir, env }),
  ])
  const said = { exitCode: 1, stdout: '', stderr: `There is no database in ${env.DATA_DIR}.\n` }
  expect(doctor).toEqual(said)
  expect(attempt).toEqual(said)
})
