import { spawn } from 'node:child_process'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openDirectoryStore } from '../../src/assets/directory.ts'
import { systemClock } from '../../src/clock.ts'
import { findUsed } from '../../src/db/tasks/assets.ts'
import { createHousekeeping, UNUSED_FOR_MS } from '../../src/engine/maintenance/housekeeping.ts'
import { DATABASES, newPlace, type DatabaseKind } from '../support/database.ts'
import { openEngine, type TestEngine } from '../support/engine.ts'
import { paidProvider, startPaidUpstream, type PaidUpstream } from '../support/paid-upstream.ts'

const CHILD = fileURLToPath(new URL('../support/crash-child.ts', import.meta.url))
/** What one task passes, with one preview and one image. Fewer mean that a step escapes the test. */
const LEAST_BOUNDARIES = 22

let upstream: PaidUpstream
beforeAll(async () => {
  upstream = await startPaidUpstream()
})
afterAll(() => upstream.close())

describe.each(DATABASES)('a process killed at any moment on %s', (database) => {
  it('pays at most once, forgets nothing, and is taken on by the next', { timeout: 180_000 }, async () => {
    const seen: string[] = []
    let next = 1
    let survived = false
    const worker = async () => {
      while (!survived) {
        const killAt = next++
        const killed = await crashAndRecover(database, killAt)
        if (killed === undefined) survived = true
        else seen[killAt - 1] = killed
      }
    }
    await Promise.all([worker(), worker()])
    expect(seen.length).toBeGreaterThanOrEqual(LEAST_BOUNDARIES)
    expect(new Set(seen)).toEqual(
      new Set([
        'before a transaction',
        'before its commit',
        'after its commit',
        'before the request',
        'after the charge',
        'before a picture is stored',
        'after a picture is stored',
        'before the answer',
      ]),
    )
  })
})

/** Where the process died; undefined when it came to its own end. */
async function crashAndRecover(database: DatabaseKind, killAt: number): Promise<string | undefined> {
  const place = await newPlace(database)
  try {
    const killed = await runChild({ ...place, upstream: upstream.url, killAt })
    await using after = await openEngine({
      place,
      providers: [paidProvider(upstream.url)],
      tuning: { reapMs: 50, pollMs: 50 },
    })
    // What a client does that got no answer: it asks again with its key.
    const { id } = await after.create({ idempotencyKey: 'crash', partialImages: 1 })
    const settled = async () => ['SUCCEEDED', 'OUTCOME_UNKNOWN'].includes((await after.task(id)).status)
    await expect
      .poll(settled, { timeout: 10_000, interval: 20, message: `killed at ${killAt}, ${killed}` })
      .toBe(true)

    expect(await problems(after, id, killed)).toEqual([])
    expect(await orphansOf(after)).toEqual([])
    return killed
  } finally {
    await place.remove()
  }
}

/** What must not be, once the next process has taken the task on. */
async function problems(after: TestEngine, id: string, killed: string | undefined): Promise<string[]> {
  const { status } = await after.task(id)
  const attempts = await after.attempts(id)
  const charges = upstream.charges.filter((ref) => attempts.some((attempt) => attempt.id === ref))
  const dark = attempts.filter((attempt) => charges.includes(attempt.id) && attempt.charged === 'NO')
  const found = [
    ...(charges.length > 1 ? [`it was paid ${charges.length} times`] : []),
    ...(dark.length > 0 ? ['a charge is on no attempt'] : []),
    ...(status === 'SUCCEEDED' && charges.length === 0 ? ['it succeeded unpaid'] : []),
    ...(killed === undefined && status !== 'SUCCEEDED' ? ['nobody killed it, and it did not succeed'] : []),
    ...attempts.flatMap(({ state }) =>
      state === 'LEASED' || state === 'SENDING' ? [`an attempt is still ${state}`] : [],
    ),
  ]
  return found.map((problem) => `killed ${killed}, ${status}: ${problem}`)
}

/** The files that no row refers to, once those have been collected that are there for an hour. */
async function orphansOf({ db, deps, place }: TestEngine): Promise<string[]> {
  const anHourOn = { ...systemClock, now: () => systemClock.now() + 2 * UNUSED_FOR_MS }
  const store = await openDirectoryStore(join(place.dataDir, 'assets'), anHourOn)
  await createHousekeeping({ ...deps, store }).collectFiles(new AbortController().signal)
  const files = await readdir(join(place.dataDir, 'assets', 'objects'), { recursive: true })
  const names = files.map((file) => file.split('/').at(-1) ?? '').filter((name) => name.length >= 64)
  const used = await findUsed(db.read, names)
  return names.filter((name) => !used.has(name))
}

/** What the child said when it was killed; undefined when it ended by itself, which it only does with no timer left. */
function runChild(told: Record<string, unknown>): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [CHILD, JSON.stringify(told)], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let said = ''
    let complained = ''
    child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (complained += chunk.toString()))
    child.once('error', reject)
    child.once('close', (code, signal) => {
      if (signal === 'SIGKILL') resolve(said)
      else if (code === 0) resolve(undefined)
      else reject(new Error(`The child ended with ${code ?? signal}:\n${complained}`))
    })
  })
}
