import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { reconcile } from '../../src/engine/maintenance/reconcile.ts'
import type { Call } from '../../src/providers/provider.ts'
import { DATABASES, newPlace } from '../support/database.ts'
import { openEngine } from '../support/engine.ts'
import { done, failure, held, scripted } from '../support/scripted.ts'

type Found = { remoteId: string } | undefined

/** A provider whose responses are lost; `find` returns the result of the `nth` lookup. */
function losingResponses(
  find: (nth: number, call: Call) => Promise<Found>,
  submit: Parameters<typeof scripted>[0] = () => Promise.reject(failure('lost')),
) {
  const lookups: string[] = []
  const provider = scripted(submit, {
    name: 'finder',
    find(clientRef, call) {
      lookups.push(clientRef)
      return find(lookups.length, call)
    },
    check: (_, order, call) => done({ order, call }),
  })
  return { provider, lookups }
}

const often = (times: number) => Array.from({ length: times }, (_, nth) => (nth + 1) * 20)
const tuning = { pollMs: 20, reapMs: 20, lookupDelaysMs: often(3) }
const REMOTE = { remoteId: 'remote-1' }

describe.each(DATABASES)('an attempt with a lost response, on %s', (database) => {
  it('is found by its own id, accepted, and paid once', async () => {
    const { provider, lookups } = losingResponses(async () => REMOTE)
    await using one = await openEngine({ database, providers: [provider], tuning })
    const { id } = await one.create()
    expect(await one.reached(id, 'SUCCEEDED')).toMatchObject({ chargesOpen: 1, error: null })
    const attempts = await one.attempts(id)
    expect(attempts).toMatchObject([
      { state: 'SUCCEEDED', charged: 'YES', remoteId: 'remote-1', missingChecks: 0 },
    ])
    expect(lookups).toEqual([attempts[0]?.id])
    expect(provider.sent).toHaveLength(1)
    const types = (await one.events(id)).map(({ body }) => body.type)
    expect(types).toEqual(expect.arrayContaining(['OUTCOME_BECAME_UNKNOWN', 'TASK_FINISHED']))
  })

  it('is looked up again when it was not found or the lookup failed, as often as configured', async () => {
    const answers = [undefined, failure('unreached'), new Error('a bug'), REMOTE]
    const { provider, lookups } = losingResponses(async (nth) => {
      const answer = answers[nth - 1]
      if (answer instanceof Error) throw answer
      return answer
    })
    await using one = await openEngine({ database, providers: [provider], tuning })
    const { id } = await one.create()
    await one.reached(id, 'SUCCEEDED')
    expect(lookups).toHaveLength(4)
    expect(provider.sent).toHaveLength(1)
  })

  it('stays UNKNOWN and is not sent again when it is never found', async () => {
    const { provider, lookups } = losingResponses(async () => undefined)
    await using one = await openEngine({ database, providers: [provider], tuning })
    const { id } = await one.create()
    await expect.poll(() => lookups.length).toBe(4)
    await pause(200)
    expect(lookups).toHaveLength(4)
    expect(await one.task(id)).toMatchObject({ status: 'OUTCOME_UNKNOWN', chargesOpen: 1 })
    expect(await one.attempts(id)).toMatchObject([{ state: 'UNKNOWN', charged: 'UNKNOWN', remoteId: null }])
    expect(provider.sent).toHaveLength(1)
  })

  it('is looked up again after the configured delay', async () => {
    const { provider, lookups } = losingResponses(async () => undefined)
    await using one = await openEngine({
      database,
      providers: [provider],
      tuning: { ...tuning, lookupDelaysMs: [60_000] },
    })
    const { id } = await one.create()
    await expect.poll(() => lookups.length).toBe(1)
    const [attempt] = await one.attempts(id)
    expect(attempt!.runAfter - attempt!.sentAt!).toBeGreaterThanOrEqual(60_000)
    await pause(200)
    expect(lookups).toHaveLength(1)
  })

  it('is looked up by one process only, however many try', async () => {
    const { provider, lookups } = losingResponses(async () => {
      await pause(50)
      return undefined
    })
    await using one = await openEngine({
      database,
      providers: [provider],
      tuning: { ...tuning, reapMs: 600_000, lookupDelaysMs: [600_000] },
    })
    const { id } = await one.create()
    await one.reached(id, 'OUTCOME_UNKNOWN')
    const never = new AbortController().signal
    await Promise.all(Array.from({ length: 5 }, () => reconcile(one.deps, never)))
    expect(lookups).toHaveLength(1)
  })

  it('only records its remote id while another attempt of its part is in progress', async () => {
    const again = held()
    const { provider } = losingResponses(
      async () => REMOTE,
      (sent, nth) => (nth === 1 ? Promise.reject(failure('lost')) : again.answer(sent)),
    )
    await using one = await openEngine({
      database,
      providers: [provider],
      tuning: { ...tuning, reapMs: 600_000 },
    })
    const { id } = await one.create({ onUnknownOutcome: 'RESEND', maxCharges: 2 })
    await expect.poll(() => provider.sent.length).toBe(2)
    await reconcile(one.deps, new AbortController().signal)
    expect((await one.attempts(id))[0]).toMatchObject({ state: 'UNKNOWN', remoteId: 'remote-1' })
    again.resolveWith((sent) => done(sent))
    await one.reached(id, 'SUCCEEDED')
  })

  it('is found before a permitted resend is sent, and the resend is canceled', async () => {
    const { provider } = losingResponses(async () => REMOTE)
    await using one = await openEngine({
      database,
      providers: [provider],
      tuning: { ...tuning, lookupDelaysMs: [5000, 15_000] },
    })
    const { id } = await one.create({ onUnknownOutcome: 'RESEND', maxCharges: 2 })
    expect(await one.reached(id, 'SUCCEEDED')).toMatchObject({ chargesOpen: 1 })
    expect((await one.attempts(id)).map(({ state }) => state)).toEqual(['SUCCEEDED', 'CANCELED'])
    expect(provider.sent).toHaveLength(1)
  })

  it('is checked even when its part ended without it, so that its charge is known', async () => {
    const { provider } = losingResponses(
      async () => REMOTE,
      (sent, nth) => (nth === 1 ? Promise.reject(failure('lost')) : done(sent)),
    )
    await using one = await openEngine({
      database,
      providers: [provider],
      tuning: { ...tuning, reapMs: 600_000 },
    })
    const { id } = await one.create({ onUnknownOutcome: 'RESEND', maxCharges: 2 })
    await one.reached(id, 'SUCCEEDED')
    await reconcile(one.deps, new AbortController().signal)
    const states = async () => (await one.attempts(id)).map(({ state }) => state)
    await expect.poll(states).toEqual(['SUCCEEDED', 'SUCCEEDED'])
    expect(await one.task(id)).toMatchObject({ status: 'SUCCEEDED', chargesOpen: 2 })
  })

  it('is not looked up at a provider without lookups', async () => {
    const { provider, lookups } = losingResponses(async () => REMOTE)
    const plain = scripted(() => Promise.reject(failure('lost')))
    await using one = await openEngine({ database, providers: [plain, provider], tuning })
    const { id } = await one.create({ providers: ['scripted'] })
    await one.reached(id, 'OUTCOME_UNKNOWN')
    await pause(200)
    expect(lookups).toEqual([])
    expect((await one.task(id)).status).toBe('OUTCOME_UNKNOWN')
  })
})

it('aborts a lookup at shutdown, and the next process continues', async () => {
  const place = await newPlace('sqlite')
  onTestFinished(() => place.remove())
  const hanging = losingResponses((_, { signal }) => {
    return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(failure('lost'))))
  })
  const first = await openEngine({ place, providers: [hanging.provider], tuning })
  const { id } = await first.create()
  await expect.poll(() => hanging.lookups.length).toBe(1)
  await first.close()
  const { provider, lookups } = losingResponses(async () => REMOTE)
  await using next = await openEngine({ place, providers: [provider], tuning })
  await next.reached(id, 'SUCCEEDED')
  expect(lookups).toHaveLength(1)
})
