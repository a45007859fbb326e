import { spawn } from 'node:child_process'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openDirectoryStore } from '../../src/assets/directory.ts'
import { systemClock } from '../../src/clock.ts'
import { findUsed } from '../../src/db/tasks/assets.ts'
import { createHousekeeping, UNUSED_FOR_MS } from '../../src/engine/maintenance/housekeeping.ts'
import { entryOf } from '../support/entry.ts'
import { DATABASES, newPlace, type DatabaseKind } from '../support/database.ts'
import { openEngine, type TestEngine } from '../support/engine.ts'
import { paidProvider, startPaidUpstream, type PaidUpstream } from '../support/paid-upstream.ts'

const CHILD = entryOf(fileURLToPath(new URL('../support/crash-child.ts', import.meta.url)))
/** Of one task with one partial image and one image. Fewer mean that the test misses a step. */
const MIN_BOUNDARIES = 22

let upstream: PaidUpstream
beforeAll(async () => {
  upstream = await startPaidUpstream()
})
afterAll(() => upstream.close())

describe.each(DATABASES)('a process killed at every boundary on %s', (database) => {
  it(
    'pays at most once, loses nothing, and is recovered by the next process',
    { timeout: 180_000 },
    async () => {
      const boundaries: string[] = []
      let next = 1
      let survived = false
      const worker = async () => {
        while (!survived) {
          const killAt = next++
          const boundary = await crashAndRecover(database, killAt)
          if (boundary === undefined) survived = true
          else boundaries[killAt - 1] = boundary
        }
      }
      await Promise.all([worker(), worker()])
      expect(boundaries.length).toBeGreaterThanOrEqual(MIN_BOUNDARIES)
      expect(new Set(boundaries)).toEqual(
        new Set([
          'before a transaction',
          'before its commit',
          'after its commit',
          'before the request',
          'after the charge',
          'before an image is stored',
          'after an image is stored',
          'before the result',
        ]),
      )
    },
  )
})

/** Where the process died; undefined when it ended by itself. */
async function crashAndRecover(database: DatabaseKind, killAt: number): Promise<string | undefined> {
  const place = await newPlace(database)
  try {
    const killed = await runChild({ ...place, upstream: upstream.url, killAt })
    await using after = await openEngine({
      place,
      providers: [paidProvider(upstream.url)],
      tuning: { reapMs: 50, pollMs: 50 },
    })
    // A client without a response repeats the request with its key.
    const { id } = await after.create({ idempotencyKey: 'crash', partialImages: 1 })
    const settled = async () => ['SUCCEEDED', 'OUTCOME_UNKNOWN'].includes((await after.task(id)).status)
    await expect.poll(settled, { interval: 20, message: `killed at ${killAt}, ${killed}` }).toBe(true)

    expect(await problems(after, id, killed)).toEqual([])
    expect(await orphansOf(after)).toEqual([])
    return killed
  } finally {
    await place.remove()
  }
}

/** What is wrong after the next process has recovered the task. */
async function problems(after: TestEngine, id: string, killed: string | undefined): Promise<string[]> {
  const { status } = await after.task(id)
  const attempts = await after.attempts(id)
  const charges = upstream.charges.filter((ref) => attempts.some((attempt) => attempt.id === ref))
  const unrecorded = attempts.filter((attempt) => charges.includes(attempt.id) && attempt.charged === 'NO')
  const found = [
    ...(charges.length > 1 ? [`it was paid ${charges.length} times`] : []),
    ...(unrecorded.length > 0 ? ['a charge is on no attempt'] : []),
    ...(status === 'SUCCEEDED' && charges.length === 0 ? ['it succeeded unpaid'] : []),
    ...(killed === undefined && status !== 'SUCCEEDED'
      ? ['it did not succeed, although it was not killed']
      : []),
    ...attempts.flatMap(({ state }) =>
      state === 'LEASED' || state === 'SENDING' ? [`an attempt is still ${state}`] : [],
    ),
  ]
  return found.map((problem) => `killed ${killed}, ${status}: ${problem}`)
}

/** The files without a row, after the collection of files older than an hour. */
async function orphansOf({ db, deps, place }: TestEngine): Promise<string[]> {
  const later = { ...systemClock, now: () => systemClock.now() + 2 * UNUSED_FOR_MS }
  const store = await openDirectoryStore(join(place.dataDir, 'assets'), later)
  await createHousekeeping({ ...deps, store }).collectFiles(new AbortController().signal)
  const files = await readdir(join(place.dataDir, 'assets', 'objects'), { recursive: true })
  const names = files.map((file) => file.split('/').at(-1) ?? '').filter((name) => name.length >= 64)
  const used = await findUsed(db.read, names)
  return names.filter((name) => !used.has(name))
}

/** The child's output when it was killed; undefined when it ended by itself, which needs every timer to be cleared. */
function runChild(settings: Record<string, unknown>): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [CHILD, JSON.stringify(settings)], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
    child.once('error', reject)
    child.once('close', (code, signal) => {
      if (signal === 'SIGKILL') resolve(stdout)
      else if (code === 0) resolve(undefined)
      else reject(new Error(`The child ended with ${code ?? signal}:\n${stderr}`))
    })
  })
}
