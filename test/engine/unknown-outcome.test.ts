import { describe, expect, it } from 'vitest'
import { listAssets } from '../../src/db/tasks/assets.ts'
import type { Transaction } from '../../src/db/connection/database.ts'
import type { AttemptRow } from '../../src/db/tables/tables.ts'
import { cancelUnsent } from '../../src/engine/attempts/apply-transition.ts'
import { DATABASES } from '../support/database.ts'
import { openEngine, type TestEngine } from '../support/engine.ts'
import { openBesideOther } from '../support/other-worker.ts'
import { done, failure, held, scripted } from '../support/scripted.ts'
import { ANONYMOUS } from '../support/plain-input.ts'

/** Short leases without renewal: another worker soon recovers every call as abandoned. */
const EXPIRING = { leaseMs: 100, heartbeatMs: 60_000, reapMs: 60_000, pollMs: 50 }

const retry = (one: TestEngine, id: string, acceptPossibleSecondCharge: boolean) =>
  one.engine.retryTask(ANONYMOUS, id, { acceptPossibleSecondCharge })

describe.each(DATABASES)('an unknown outcome on %s', (database) => {
  it('is held: nothing is sent again without permission', async () => {
    const provider = scripted(() => Promise.reject(failure('lost')))
    await using one = await openEngine({
      database,
      providers: [provider],
      tuning: { pollMs: 10, reapMs: 10 },
    })
    const { id } = await one.create({ maxCharges: 5 })
    const task = await one.reached(id, 'OUTCOME_UNKNOWN')
    expect(task).toMatchObject({
      finishedAt: null,
      chargesOpen: 1,
      error: { code: 'OUTCOME_UNKNOWN', charged: 'UNKNOWN', retryable: true },
    })
    // Another task goes all the way through the queue meanwhile.
    const other = await one.create()
    await one.reached(other.id, 'OUTCOME_UNKNOWN')
    expect(provider.sent).toHaveLength(2)
    expect(await one.attempts(id)).toHaveLength(1)
  })

  it('is sent once more with RESEND and two charges, and never a third time', async () => {
    const provider = scripted(() => Promise.reject(failure('lost')))
    await using one = await openEngine({ database, providers: [provider], tuning: { maxAttempts: 5 } })
    const { id } = await one.create({ onUnknownOutcome: 'RESEND', maxCharges: 2 })
    await expect.poll(async () => (await one.task(id)).chargesOpen).toBe(2)
    await one.reached(id, 'OUTCOME_UNKNOWN')
    expect((await one.attempts(id)).map(({ state }) => state)).toEqual(['UNKNOWN', 'UNKNOWN'])
    expect(provider.sent).toHaveLength(2)
  })

  it('is replaced by a late result, and the task succeeds once', async () => {
    const slow = held()
    const provider = scripted((sent) => slow.answer(sent))
    await using one = await openBesideOther({ database, providers: [provider], tuning: EXPIRING })
    const { id } = await one.create()
    await one.reached(id, 'OUTCOME_UNKNOWN')
    slow.resolveWith((sent) => done(sent))
    await one.reached(id, 'SUCCEEDED')
    expect((await one.attempts(id)).map(({ state, charged }) => [state, charged])).toEqual([
      ['SUCCEEDED', 'YES'],
    ])
    const types = (await one.events(id)).map(({ body }) => body.type)
    expect(types.slice(-3)).toEqual(['OUTCOME_BECAME_UNKNOWN', 'ATTEMPT_ENDED', 'TASK_FINISHED'])
  })

  it('cancels the planned retry when a late result arrives', async () => {
    const slow = held()
    const provider = scripted((sent) => slow.answer(sent), { concurrency: 1 })
    await using one = await openBesideOther({ database, providers: [provider], tuning: EXPIRING })
    const { id } = await one.create({ onUnknownOutcome: 'RESEND', maxCharges: 2 })
    // The first call holds the only slot, so the second attempt waits.
    await expect
      .poll(async () => (await one.attempts(id)).map(({ state }) => state))
      .toEqual(['UNKNOWN', 'PLANNED'])
    slow.resolveWith((sent) => done(sent))
    const task = await one.reached(id, 'SUCCEEDED')
    expect(task.chargesOpen).toBe(1)
    expect((await one.attempts(id)).map(({ state }) => state)).toEqual(['SUCCEEDED', 'CANCELED'])
    expect(provider.sent).toHaveLength(1)
  })

  it('records both charges when a late result follows a second result, and ends the task once', async () => {
    const first = held()
    const second = held()
    const provider = scripted((sent, nth) => (nth === 1 ? first : second).answer(sent))
    await using one = await openBesideOther({ database, providers: [provider], tuning: EXPIRING })
    const { id } = await one.create({ onUnknownOutcome: 'RESEND', maxCharges: 2 })
    await expect.poll(() => provider.sent.length).toBe(2)
    second.resolveWith((sent) => done(sent))
    await one.reached(id, 'SUCCEEDED')
    const { lastSeq } = await one.task(id)
    first.resolveWith((sent) => done(sent))
    await expect
      .poll(async () => (await one.attempts(id)).map(({ state, charged }) => [state, charged]))
      .toEqual([
        ['SUCCEEDED', 'YES'],
        ['SUCCEEDED', 'YES'],
      ])
    expect(await one.task(id)).toMatchObject({ status: 'SUCCEEDED', lastSeq, chargesOpen: 2 })
    expect((await listAssets(one.db.read, [id])).filter(({ kind }) => kind === 'FINAL')).toHaveLength(2)
  })

  it('returns its permit after a late refusal, and the task continues', async () => {
    const slow = held()
    const provider = scripted((sent, nth) => (nth === 1 ? slow.answer(sent) : done(sent)))
    await using one = await openBesideOther({ database, providers: [provider], tuning: EXPIRING })
    const { id } = await one.create()
    await one.reached(id, 'OUTCOME_UNKNOWN')
    slow.release(failure('busy'))
    const task = await one.reached(id, 'SUCCEEDED')
    expect(task.chargesOpen).toBe(1)
    expect((await one.attempts(id)).map(({ state }) => state)).toEqual(['REJECTED', 'SUCCEEDED'])
  })

  it('changes only its own attempt when a late refusal follows a second attempt', async () => {
    const first = held()
    const second = held()
    const provider = scripted((sent, nth) => (nth === 1 ? first : second).answer(sent))
    await using one = await openBesideOther({
      database,
      providers: [provider],
      tuning: EXPIRING,
    })
    const { id } = await one.create({ onUnknownOutcome: 'RESEND', maxCharges: 2 })
    const states = async () => (await one.attempts(id)).map(({ state }) => state)
    await expect.poll(states).toEqual(['UNKNOWN', 'UNKNOWN'])
    first.release(failure('busy'))
    await expect.poll(states).toEqual(['REJECTED', 'UNKNOWN'])
    expect(await one.task(id)).toMatchObject({ status: 'OUTCOME_UNKNOWN', chargesOpen: 1 })
    second.resolveWith((sent) => done(sent))
    const task = await one.reached(id, 'SUCCEEDED')
    expect(task.chargesOpen).toBe(1)
    expect(await one.attempts(id)).toHaveLength(2)
  })

  it('is retried in the same task once its owner accepts a possible second charge', async () => {
    const provider = scripted((sent, nth) => (nth === 1 ? Promise.reject(failure('lost')) : done(sent)))
    await using one = await openEngine({ database, providers: [provider] })
    const { id } = await one.create()
    await one.reached(id, 'OUTCOME_UNKNOWN')
    await expect(retry(one, id, false)).rejects.toMatchObject({
      code: 'CHARGE_PERMISSION_REQUIRED',
      field: 'acceptPossibleSecondCharge',
    })
    const again = await retry(one, id, true)
    expect(again).toMatchObject({ id, status: 'QUEUED', maxCharges: 2 })
    expect(await one.reached(id, 'SUCCEEDED')).toMatchObject({ chargesOpen: 2 })
    expect((await one.attempts(id)).map(({ state, charged }) => [state, charged])).toEqual([
      ['UNKNOWN', 'UNKNOWN'],
      ['SUCCEEDED', 'YES'],
    ])
  })

  it('is retried once when its owner retries twice concurrently', async () => {
    const provider = scripted((sent, nth) => (nth === 1 ? Promise.reject(failure('lost')) : done(sent)))
    await using one = await openEngine({ database, providers: [provider] })
    const { id } = await one.create()
    await one.reached(id, 'OUTCOME_UNKNOWN')
    const retries = await Promise.allSettled([retry(one, id, true), retry(one, id, true)])
    const refused = retries.flatMap((result) =>
      result.status === 'rejected' ? [result.reason as { code: string }] : [],
    )
    expect(refused).toEqual([expect.objectContaining({ code: 'CONFLICT' })])
    await one.reached(id, 'SUCCEEDED')
    expect(provider.sent).toHaveLength(2)
  })

  it('is not part of a failed task, whose retry is a new task that refers to it', async () => {
    const provider = scripted((sent, nth) => (nth === 1 ? Promise.reject(failure('rejected')) : done(sent)))
    await using one = await openEngine({ database, providers: [provider] })
    const { id } = await one.create()
    await one.reached(id, 'FAILED')
    const again = await retry(one, id, false)
    expect(again).toMatchObject({ retryOf: id, status: 'QUEUED' })
    expect(again.id).not.toBe(id)
    await one.reached(again.id, 'SUCCEEDED')
    expect(await one.task(id)).toMatchObject({ status: 'FAILED' })
    await expect(retry(one, again.id, true)).rejects.toMatchObject({ code: 'CONFLICT' })
  })

  it('needs permission for a retry of a possibly charged failure', async () => {
    const provider = scripted((sent, nth) => (nth === 1 ? Promise.reject(failure('broken')) : done(sent)))
    await using one = await openEngine({ database, providers: [provider] })
    const { id } = await one.create()
    await one.reached(id, 'FAILED')
    await expect(retry(one, id, false)).rejects.toMatchObject({ code: 'CHARGE_PERMISSION_REQUIRED' })
    const again = await retry(one, id, true)
    await one.reached(again.id, 'SUCCEEDED')
  })
})

it('cancelUnsent leaves attempts that were sent or have ended unchanged', async () => {
  const states = ['SENDING', 'ACCEPTED', 'UNKNOWN', 'SUCCEEDED', 'REJECTED', 'FAILED'] as const
  const attempts = states.map((state) => ({ id: state, state }) as AttemptRow)
  // Without a database, any transition would throw.
  expect(await cancelUnsent({} as Transaction, attempts, 0)).toEqual([])
})
