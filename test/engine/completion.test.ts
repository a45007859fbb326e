import BetterSqlite3 from 'better-sqlite3'
import { eq, sql } from 'drizzle-orm'
import { describe, expect, it, vi } from 'vitest'
import type { Quality } from '../../src/domain.ts'
import { createCompletionEstimate } from '../../src/engine/usage/completion.ts'
import { DATABASES } from '../support/database.ts'
import { openEngine, type TestEngine } from '../support/engine.ts'
import { done, failure, held, scripted } from '../support/scripted.ts'

/** Answers at once, or never with `slow` in the prompt. */
function painter() {
  const never = held()
  return scripted(async (sent) => {
    if (sent.order.prompt.includes('lost')) throw failure('lost')
    return sent.order.prompt.includes('slow') ? never.answer(sent) : done(sent)
  })
}

async function measured(one: TestEngine, ms: number, quality: Quality, size = 'auto'): Promise<void> {
  const { id } = await one.create({ quality, size })
  await one.reached(id, 'SUCCEEDED')
  const { attempts } = one.db.read.tables
  await one.db.tx(async (q) => {
    const sentAt = sql`${attempts.finishedAt} - ${ms}`
    await q.sql.update(attempts).set({ sentAt }).where(eq(attempts.taskId, id))
  })
}

async function expectedMs(one: TestEngine, id: string): Promise<number | null> {
  const estimate = createCompletionEstimate(one.deps)
  const [attempts, task] = [await one.attempts(id), await one.task(id)]
  const end = await estimate(task, attempts)
  return end === null ? null : end - (attempts[0]!.sentAt ?? Date.now())
}

describe.each(DATABASES)('the expected end of a task on %s', (database) => {
  it('is the median of its size and quality, else of its quality, else of its model', async () => {
    await using one = await openEngine({ database, providers: [painter()] })
    const slow = async (quality: Quality, size = 'auto') => {
      const { id } = await one.create({ prompt: 'slow', quality, size })
      await one.reached(id, 'RUNNING')
      return id
    }
    const high = await slow('HIGH')
    const large = await slow('LOW', '1536x1024')
    const wide = await slow('HIGH', '1536x1024')
    expect(await expectedMs(one, high)).toBeNull()
    for (const ms of [100_000, 110_000, 900_000]) await measured(one, ms, 'LOW')
    expect(await expectedMs(one, high)).toBe(110_000)
    for (const ms of [200_000, 210_000, 220_000]) await measured(one, ms, 'HIGH')
    expect(await expectedMs(one, high)).toBe(210_000)
    expect(await expectedMs(one, wide)).toBe(210_000)
    expect(await expectedMs(one, large)).toBe(110_000)
    for (const ms of [500_000, 510_000, 520_000]) await measured(one, ms, 'HIGH', '1536x1024')
    expect(await expectedMs(one, wide)).toBe(510_000)
    expect(await expectedMs(one, high)).toBe(210_000)
  })

  it('is later the longer it takes, then null, and null once it ended or its outcome is unknown', async () => {
    await using one = await openEngine({ database, providers: [painter()] })
    for (const ms of [100_000, 200_000, 300_000]) await measured(one, ms, 'LOW')
    const { id } = await one.create({ prompt: 'slow', quality: 'LOW' })
    await one.reached(id, 'RUNNING')
    const { attempts } = one.db.read.tables
    const runningFor = async (ms: number) => {
      const sentAt = Date.now() - ms
      await one.db.tx(async (q) => {
        await q.sql.update(attempts).set({ sentAt }).where(eq(attempts.taskId, id))
      })
      return expectedMs(one, id)
    }
    expect(await runningFor(0)).toBe(200_000)
    expect(await runningFor(150_000)).toBe(250_000)
    expect(await runningFor(250_000)).toBe(300_000)
    expect(await runningFor(350_000)).toBeNull()
    const { id: lost } = await one.create({ prompt: 'lost', quality: 'LOW' })
    await one.reached(lost, 'OUTCOME_UNKNOWN')
    expect(await expectedMs(one, lost)).toBeNull()
    const { id: ended } = await one.create({ quality: 'LOW' })
    await one.reached(ended, 'SUCCEEDED')
    expect(await expectedMs(one, ended)).toBeNull()
  })

  it('counts the turn of a queued task', async () => {
    await using one = await openEngine({ database, providers: [{ ...painter(), concurrency: 1 }] })
    for (const ms of [100_000, 100_000, 100_000]) await measured(one, ms, 'LOW')
    const { id: running } = await one.create({ prompt: 'slow', quality: 'LOW' })
    await one.reached(running, 'RUNNING')
    const queued = [await one.create({ quality: 'LOW' }), await one.create({ quality: 'LOW' })]
    const [first, second] = [await expectedMs(one, queued[0]!.id), await expectedMs(one, queued[1]!.id)]
    expect(Math.abs(first! - 100_000)).toBeLessThan(5000)
    expect(Math.abs(second! - 200_000)).toBeLessThan(5000)
  })
})

const isRead = ([text]: [string]) => text.includes('"finished_at" - ')

it('the expected end is read from an index, and once a minute', async () => {
  const prepare = vi.spyOn(BetterSqlite3.prototype, 'prepare')
  await using one = await openEngine({ providers: [painter()] })
  const { id } = await one.create({ prompt: 'slow' })
  await one.reached(id, 'RUNNING')
  const [task, attempts] = [await one.task(id), await one.attempts(id)]
  for (let i = 0; i < 20; i++) await one.engine.estimateCompletion(task, attempts)
  const texts = prepare.mock.calls.filter(isRead).map(([text]) => text)
  prepare.mockRestore()
  expect(texts.length).toBeGreaterThan(0)
  expect(texts.length).toBeLessThan(3)
  const db = new BetterSqlite3(`${one.place.dataDir}/darkroom.db`, { readonly: true })
  const steps = db
    .prepare<unknown[], { detail: string }>(`explain query plan ${texts[0]}`)
    .all(...Array.from({ length: texts[0]!.split('?').length - 1 }, () => null))
  db.close()
  expect(steps.map(({ detail }) => detail)).toEqual([
    'SEARCH attempts USING INDEX attempts_durations (provider=? AND model=?)',
    'SEARCH tasks USING INDEX sqlite_autoindex_tasks_1 (id=?)',
  ])
})
