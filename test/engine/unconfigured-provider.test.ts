import { Writable } from 'node:stream'
import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { listForReview } from '../../src/db/attempts/review.ts'
import { DEFAULT_PROJECT } from '../../src/db/access/projects.ts'
import type { TaskInput } from '../../src/engine/tasks/input.ts'
import { warnOfStranded } from '../../src/engine/maintenance/recover.ts'
import { createLog } from '../../src/log.ts'
import { DATABASES, newPlace, type DatabaseKind, type Place } from '../support/database.ts'
import { openEngine, type TestEngine } from '../support/engine.ts'
import { ANONYMOUS } from '../support/plain-input.ts'
import { done, scripted } from '../support/scripted.ts'

/** Marks them soon: on PostgreSQL after two leases without a check. */
const TUNING = { leaseMs: 200, heartbeatMs: 50, reapMs: 50, pollMs: 20, lookupDelaysMs: [100, 200] }

const leaving = () =>
  scripted(async () => ({ state: 'ACCEPTED', remoteId: 'remote', checkAfterMs: 0 }), {
    name: 'gone',
    check: (_, order, call) => (isDone ? done({ order, call }) : Promise.resolve(PENDING)),
  })
const PENDING = { state: 'PENDING', progress: null, checkAfterMs: 0 } as const
let isDone = false

/** An accepted attempt, and an engine without its provider. */
async function leaveAccepted(
  database: DatabaseKind,
  input: Partial<TaskInput> = {},
): Promise<{ place: Place; later: TestEngine; other: ReturnType<typeof scripted>; id: string }> {
  isDone = false
  const place = await newPlace(database)
  onTestFinished(() => place.remove())
  const first = await openEngine({ place, providers: [leaving()], tuning: TUNING })
  const { id } = await first.create(input)
  await expect.poll(async () => (await first.attempts(id))[0]?.state).toBe('ACCEPTED')
  await first.close()
  const other = scripted((sent) => done(sent))
  return { place, id, other, later: await openEngine({ place, providers: [other], tuning: TUNING }) }
}

describe.each(DATABASES)('an accepted attempt whose provider is no longer configured, on %s', (database) => {
  it('is listed for review, with the remedy in its error, and its budget stays held', async () => {
    const { later, id } = await leaveAccepted(database)
    await using one = later
    const { error } = await one.reached(id, 'OUTCOME_UNKNOWN')
    expect(error).toMatchObject({ code: 'OUTCOME_UNKNOWN', charged: 'UNKNOWN' })
    expect(error?.message).toContain(
      'Configure the provider again to fetch the result, or resolve the attempt',
    )
    const listed = await listForReview(one.db.read, DEFAULT_PROJECT, 'OUTCOME_UNKNOWN', {}, { limit: 10 })
    expect(listed).toMatchObject([{ taskId: id, remoteId: 'remote', charged: 'UNKNOWN' }])
  })

  it('can be canceled, resolved and retried', async () => {
    const { later, id, other } = await leaveAccepted(database)
    await using one = later
    await one.reached(id, 'OUTCOME_UNKNOWN')
    await one.engine.retryTask(ANONYMOUS, id, { acceptPossibleSecondCharge: true })
    await one.reached(id, 'SUCCEEDED')
    expect(other.sent).toHaveLength(1)
    const [attempt] = await one.attempts(id)
    await one.engine.resolveAttempt(DEFAULT_PROJECT, attempt!.id, { is: 'NOT_CHARGED' }, null)
    expect((await one.attempts(id)).map(({ state }) => state)).toEqual(['REJECTED', 'SUCCEEDED'])
  })

  it('ends as canceled after a cancel request, with its charge unknown', async () => {
    const { later, id } = await leaveAccepted(database)
    await using one = later
    await one.engine.cancelTask(DEFAULT_PROJECT, id)
    await one.reached(id, 'CANCELED')
    expect(await one.attempts(id)).toMatchObject([{ state: 'UNKNOWN', charged: 'UNKNOWN' }])
  })

  it('is tried at another provider after the resolution NOT_CHARGED', async () => {
    const { later, id, other } = await leaveAccepted(database)
    await using one = later
    await one.reached(id, 'OUTCOME_UNKNOWN')
    const [attempt] = await one.attempts(id)
    await one.engine.resolveAttempt(DEFAULT_PROJECT, attempt!.id, { is: 'NOT_CHARGED' }, null)
    await one.reached(id, 'SUCCEEDED')
    expect(other.sent).toHaveLength(1)
  })

  it('is sent again at once, if that is permitted, after the resolution CHARGED_RESULT_LOST', async () => {
    const { later, id, other } = await leaveAccepted(database, { onUnknownOutcome: 'RESEND', maxCharges: 2 })
    await using one = later
    const states = async () => (await one.attempts(id)).map(({ state }) => state)
    await expect.poll(states).toEqual(['UNKNOWN', 'PLANNED'])
    const [attempt] = await one.attempts(id)
    await one.engine.resolveAttempt(DEFAULT_PROJECT, attempt!.id, { is: 'CHARGED_RESULT_LOST' }, null)
    await one.reached(id, 'SUCCEEDED')
    expect(await states()).toEqual(['FAILED', 'SUCCEEDED'])
    expect(other.sent).toHaveLength(1)
  })

  it('is fetched once its provider is configured again, and paid once', async () => {
    const { place, later, id, other } = await leaveAccepted(database, {
      onUnknownOutcome: 'RESEND',
      maxCharges: 2,
    })
    await expect
      .poll(async () => (await later.attempts(id)).map(({ state }) => state))
      .toEqual(['UNKNOWN', 'PLANNED'])
    await pause(500)
    await later.close()
    expect(other.sent).toEqual([])

    isDone = true
    const back = leaving()
    await using one = await openEngine({ place, providers: [back, other], tuning: TUNING })
    await one.reached(id, 'SUCCEEDED')
    expect((await one.attempts(id)).map(({ state }) => state)).toEqual(['SUCCEEDED', 'CANCELED'])
    expect([back.sent, other.sent]).toEqual([[], []])
    await one.close()
  })
})

it('an accepted attempt is left to another process that has its provider', async () => {
  isDone = false
  const place = await newPlace('postgresql')
  onTestFinished(() => place.remove())
  await using having = await openEngine({ place, providers: [leaving()], tuning: TUNING })
  await using without = await openEngine({
    place,
    providers: [scripted((sent) => done(sent))],
    tuning: TUNING,
  })
  const { id } = await having.create({ providers: ['gone'] })
  await expect.poll(async () => (await having.attempts(id))[0]?.state).toBe('ACCEPTED')
  await pause(1000)
  expect(await without.attempts(id)).toMatchObject([{ state: 'ACCEPTED' }])
  isDone = true
  await having.reached(id, 'SUCCEEDED')
})

describe.each(DATABASES)('attempts of a provider that is no longer configured, on %s', (database) => {
  it('are logged at the start, and stay queued', async () => {
    const place = await newPlace(database)
    onTestFinished(() => place.remove())
    const gone = await openEngine({
      place,
      providers: [scripted((sent) => done(sent), { name: 'gone' })],
      start: false,
    })
    const { id } = await gone.create()
    await gone.close()

    const lines: string[] = []
    const sink = new Writable({ write: (chunk, _, next) => (lines.push(String(chunk)), next()) })
    await using later = await openEngine({ place, providers: [scripted((sent) => done(sent))] })
    await warnOfStranded({ ...later.deps, log: createLog('warn', sink) })
    expect(lines).toHaveLength(1)
    expect(lines[0]).toContain('"provider":"gone"')
    const other = await later.create()
    await later.reached(other.id, 'SUCCEEDED')
    expect(await later.attempts(id)).toMatchObject([{ state: 'PLANNED' }])
  })
})
