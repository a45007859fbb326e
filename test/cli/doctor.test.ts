import { readdir, rm, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import BetterSqlite3 from 'better-sqlite3'
import { Client } from 'pg'
import { describe, expect, it, onTestFinished } from 'vitest'
import { UNKNOWN_USAGE } from '../../src/providers/provider.ts'
import { readFinalState } from '../support/final-state.ts'
import { DATABASES, newPlace, type DatabaseKind, type Place } from '../support/database.ts'
import { openEngine } from '../support/engine.ts'
import { openGateway } from '../support/gateway.ts'
import { scripted } from '../support/scripted.ts'
import { darkroom } from './darkroom.ts'

async function placeOf(database: DatabaseKind): Promise<Place> {
  const place = await newPlace(database)
  onTestFinished(() => place.remove())
  return place
}

/** Runs the binary on a database. */
function run(place: Place, ...args: string[]) {
  const env = { DATA_DIR: place.dataDir, DATABASE_URL: place.databaseUrl ?? '' }
  return darkroom(args, { cwd: place.dataDir, env })
}

/** Creates a finished task and one with an unknown outcome. */
async function leaveTasks(place: Place): Promise<{ done: string; lost: string }> {
  await using gateway = await openGateway({ place })
  const done = await gateway.generate({ prompt: 'a fox', size: '1024x1024' })
  const lost = await gateway.generate({ prompt: 'a fox [sandbox:vanish]' })
  expect(await gateway.ended(done)).toEqual({ status: 'SUCCEEDED' })
  expect(await gateway.ended(lost)).toEqual({ status: 'OUTCOME_UNKNOWN' })
  return { done, lost }
}

/** Creates a task that a provider has accepted, which is not configured for the doctor. */
async function leaveAccepted(place: Place): Promise<{ task: string; attempt: string }> {
  const provider = scripted(async () => ({ state: 'ACCEPTED', remoteId: 'job', checkAfterMs: 600_000 }), {
    name: 'gone',
    check: async () => ({ state: 'PENDING', progress: null, checkAfterMs: 600_000 }),
  })
  await using one = await openEngine({ place, providers: [provider] })
  const { id: task } = await one.create()
  await expect.poll(async () => (await one.attempts(task))[0]?.state).toBe('ACCEPTED')
  const [attempt] = await one.attempts(task)
  return { task, attempt: attempt!.id }
}

/** A received-answer record without images. */
function recordOf(attemptId: string, databaseId: string | null): string {
  const evidence = { wirePhase: 'BODY_DONE', httpStatus: 200, providerRequestId: null }
  return JSON.stringify({ databaseId, attemptId, images: [], usage: UNKNOWN_USAGE, resolved: {}, evidence })
}

/** Damages the database. */
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
  it('finds no violation, with and without a running server', async () => {
    const place = await placeOf(database)
    await leaveTasks(place)
    const alone = await run(place, 'doctor')
    expect(alone).toMatchObject({ exitCode: 0, stderr: '' })
    expect(alone.stdout).toMatch(/^ {2}ok {8}I1 {3}What was sent counts as possibly charged/m)
    expect(alone.stdout).toMatch(/\n {2}All (\d+) invariants hold\.\n\n$/)
    expect(alone.stdout).not.toContain('violated')

    await using server = await openGateway({ place })
    expect(server.gateway.subscriberCount()).toBe(0)
    expect(await run(place, 'doctor')).toEqual(alone)
  })

  it('names violated invariants with examples, and exits with 1', async () => {
    const place = await placeOf(database)
    const { done } = await leaveTasks(place)
    await tamper(place, `update tasks set charges_open = 0; delete from task_events where seq in (2, 3, 4)`)
    const { assets } = await readFinalState(place)
    const [hash = ''] = assets.map(({ sha256 }) => sha256)
    await rm(join(place.dataDir, 'assets', 'objects', hash.slice(0, 2), hash.slice(2, 4), hash))

    const { exitCode, stdout } = await run(place, 'doctor')
    expect(exitCode).toBe(1)
    expect(stdout).toMatch(/^ {2}violated {2}I2 /m)
    expect(stdout).toContain(`${done} counts 0 open charges; its attempts: 1\n`)
    expect(stdout).toMatch(/^ {2}violated {2}I7 /m)
    expect(stdout).toMatch(/the file of img_\w+ is missing/)
    expect(stdout).toMatch(/\n {2}3 of \d+ invariants are violated\.\n\n$/)

    const skipped = await run(place, 'doctor', '--skip-files')
    expect(skipped.stdout).toMatch(/\n {2}2 of \d+ invariants are violated\.\n\n$/)

    const json = await run(place, 'doctor', '--json')
    expect(json.exitCode).toBe(1)
    const report: { ok: boolean; invariants: { id: string; violations: string[] }[] } = JSON.parse(
      json.stdout,
    )
    expect(report.ok).toBe(false)
    expect(report.invariants.filter(({ violations }) => violations.length > 0).map(({ id }) => id)).toEqual([
      'I2',
      'I7',
      'I10',
    ])
  })

  it('shows three examples per invariant, and the number of others', async () => {
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

  it('lists attempts that are in no list, and received answers that are foreign, old or damaged', async () => {
    const place = await placeOf(database)
    const { task, attempt } = await leaveAccepted(place)
    await tamper(place, 'update attempts set run_after = run_after - 7200000')
    const spool = join(place.dataDir, 'assets', 'spool')
    const old = join(spool, `${attempt}.receipt.json`)
    await writeFile(old, recordOf(attempt, null))
    await utimes(old, 1_700_000_000, 1_700_000_000)
    await writeFile(join(spool, 'att_2.receipt.json'), recordOf('att_2', 'another'))
    await writeFile(join(spool, 'att_3.receipt.json'), '{')

    const { exitCode, stdout } = await run(place, 'doctor', '--skip-files')
    expect(exitCode).toBe(1)
    expect(stdout).toContain('An attempt waits for a worker, and is in no list for review')
    expect(stdout).toContain(`${attempt} of ${task} is ACCEPTED at gone, and due since`)
    expect(stdout).toContain(
      'att_2.receipt.json, of the database another. A start with that database settles it.',
    )
    expect(stdout).toContain(
      `${attempt}.receipt.json, received at 2023-11-14T22:13:20.000Z; its attempt is ACCEPTED`,
    )
    expect(stdout).toContain('A received answer on disk is damaged')
    expect(stdout).toMatch(/\n {2}All \d+ invariants hold\. 4 cases need attention\.\n\n$/)

    const json = await run(place, 'doctor', '--skip-files', '--json')
    const report: { ok: boolean; attention: { cases: string[] }[] } = JSON.parse(json.stdout)
    expect(report.ok).toBe(false)
    expect(report.attention.map(({ cases }) => cases.length)).toEqual([1, 1, 1, 1])
    expect(await readdir(spool)).toHaveLength(3)
  })

  it('reports a database of another version', async () => {
    const place = await placeOf(database)
    await leaveTasks(place)
    await tamper(place, 'alter table attempts rename column wire_phase to phase')
    const { exitCode, stderr } = await run(place, 'doctor')
    expect(exitCode).toBe(1)
    expect(stderr).toContain('was made by another version of Darkroom: run `darkroom migrate`')
  })
})

it('doctor and attempt report a missing database, and create none', async () => {
  const place = await placeOf('sqlite')
  const env = { DATA_DIR: join(place.dataDir, 'nothing') }
  const [doctor, attempt] = await Promise.all([
    darkroom(['doctor'], { cwd: place.dataDir, env }),
    darkroom(['attempt', 'att_1'], { cwd: place.dataDir, env }),
  ])
  const expected = { exitCode: 1, stdout: '', stderr: `There is no database in ${env.DATA_DIR}.\n` }
  expect(doctor).toEqual(expected)
  expect(attempt).toEqual(expected)
})
