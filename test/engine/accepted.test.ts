import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { QUEUE_KEY, updateAttempt } from '../../src/db/attempts/attempts.ts'
import type { Settings } from '../../src/domain.ts'
import type { Deps } from '../../src/engine/deps.ts'
import { DEFAULT_PROJECT } from '../../src/db/access/projects.ts'
import type { CallResult, Call, Provider } from '../../src/providers/provider.ts'
import { DATABASES, newPlace } from '../support/database.ts'
import { openEngine } from '../support/engine.ts'
import { openBesideOther } from '../support/other-worker.ts'
import { done, failure, held, REPORTED, scripted, type Checked } from '../support/scripted.ts'

/** A provider that accepts; `checks` returns the result of the `nth` check, from 1. */
function accepting(
  checks: (sent: Checked, nth: number) => Promise<CallResult>,
  more: Partial<Provider> = {},
) {
  const checked: string[] = []
  const provider = scripted(
    async () => ({ state: 'ACCEPTED', remoteId: `remote-${checked.length}`, checkAfterMs: 0 }),
    {
      check(remoteId: string, order: Settings, call: Call) {
        checked.push(remoteId)
        return checks({ order, call }, checked.length)
      },
      ...more,
    },
  )
  return { provider, checked }
}

const pending = (progress: number | null = null): CallResult => ({
  state: 'PENDING',
  progress,
  checkAfterMs: 0,
})
const quick = { pollMs: 20 }
const reachable = (deps: Deps): Deps => ({ ...deps, callbackBase: () => 'http://127.0.0.1:1' })

describe.each(DATABASES)('an accepted attempt on %s', (database) => {
  it('is checked until it is done, with its progress recorded', async () => {
    const { provider, checked } = accepting(async (sent, nth) => (nth < 3 ? pending(nth * 0.4) : done(sent)))
    await using one = await openEngine({ database, providers: [provider], tuning: quick })
    const { id } = await one.create()
    await one.reached(id, 'SUCCEEDED')
    expect(checked).toEqual(['remote-0', 'remote-0', 'remote-0'])
    expect(provider.sent).toHaveLength(1)
    expect((await one.attempts(id))[0]).toMatchObject({ remoteId: 'remote-0', charged: 'YES' })
    const progress = (await one.events(id)).flatMap(({ body }) =>
      body.type === 'TASK_PROGRESSED' ? [body.progress] : [],
    )
    expect(progress).toEqual([0.4, 0.8])
  })

  it.each(['busy', 'unreached', 'lost', 'refused'] as const)(
    'is checked again after a check that was %s',
    async (kind) => {
      const { provider, checked } = accepting((sent, nth) =>
        nth === 1 ? Promise.reject(failure(kind, { retryAfterMs: 1 })) : done(sent),
      )
      await using one = await openEngine({ database, providers: [provider], tuning: quick })
      const { id } = await one.create()
      expect(await one.reached(id, 'SUCCEEDED')).toMatchObject({ chargesOpen: 1 })
      expect(checked).toHaveLength(2)
      expect(provider.sent).toHaveLength(1)
    },
  )

  it('ends as its check reports', async () => {
    const { provider } = accepting(() => Promise.reject(failure('rejected')))
    await using one = await openEngine({ database, providers: [provider], tuning: quick })
    const { id } = await one.create()
    expect(await one.reached(id, 'FAILED')).toMatchObject({
      chargesOpen: 0,
      error: { code: 'MODERATION_BLOCKED' },
    })
    expect((await one.attempts(id))[0]).toMatchObject({ state: 'REJECTED', charged: 'NO' })
  })

  it.each([
    {
      how: 'stays pending',
      check: async () => pending(),
      says: /did not finish it within 0.3 seconds/,
    },
    {
      how: 'cannot be checked',
      check: () => Promise.reject(failure('unreached', { retryAfterMs: 1 })),
      says: /could not be checked: the last \d+ checks failed/,
    },
  ])(
    'becomes UNKNOWN after the timeout of its provider, and is not sent again, when it $how',
    async ({ check, says }) => {
      const { provider } = accepting(check, { timeoutMs: 300 })
      await using one = await openEngine({ database, providers: [provider], tuning: quick })
      const { id } = await one.create()
      const task = await one.reached(id, 'OUTCOME_UNKNOWN')
      const message = expect.stringMatching(says)
      expect(task).toMatchObject({
        chargesOpen: 1,
        error: { code: 'OUTCOME_UNKNOWN', charged: 'UNKNOWN', message },
      })
      const [attempt] = await one.attempts(id)
      expect(Date.now() - attempt!.sentAt!).toBeGreaterThanOrEqual(300)
      expect(provider.sent).toHaveLength(1)
    },
  )

  it('is checked by the next process after a restart, and paid once', async () => {
    const first = accepting(async () => pending())
    await using one = await openEngine({ database, providers: [first.provider], tuning: quick })
    const { id } = await one.create()
    await expect.poll(() => first.checked.length).toBeGreaterThan(1)
    await one.close()

    const second = accepting((sent) => done(sent))
    await using two = await openEngine({ place: one.place, providers: [second.provider], tuning: quick })
    await two.reached(id, 'SUCCEEDED')
    expect(second.provider.sent).toEqual([])
    expect(second.checked).toEqual(['remote-0'])
    await two.close()
  })

  it('is checked several times after an outage of this server that is longer than the timeout', async () => {
    const place = await newPlace(database)
    onTestFinished(() => place.remove())
    const timeoutMs = 400
    const first = accepting(async () => pending(), { timeoutMs })
    const one = await openEngine({ place, providers: [first.provider], tuning: quick })
    const { id } = await one.create()
    await expect.poll(() => first.checked.length).toBeGreaterThan(0)
    await one.close()
    await pause(2 * timeoutMs)

    const second = accepting(
      async (sent, nth) => {
        if (nth === 1) throw failure('unreached', { retryAfterMs: 1 })
        return nth === 2 ? pending() : done(sent)
      },
      { timeoutMs },
    )
    await using two = await openEngine({ place, providers: [second.provider], tuning: quick })
    await two.reached(id, 'SUCCEEDED')
    expect(second.checked).toHaveLength(3)
    expect(second.provider.sent).toEqual([])
    // A late check would also find the image of an attempt that was given up.
    expect((await two.events(id)).map(({ body }) => body.type)).not.toContain('OUTCOME_BECAME_UNKNOWN')
    await two.close()
  })

  it('that was never checked in time becomes UNKNOWN with a message that says so', async () => {
    const place = await newPlace(database)
    onTestFinished(() => place.remove())
    const timeoutMs = 300
    const never = accepting(async () => pending(), { timeoutMs })
    const one = await openEngine({ place, providers: [never.provider], tuning: quick })
    const { id } = await one.create()
    await expect.poll(() => never.checked.length).toBeGreaterThan(0)
    await one.close()
    await pause(1200)
    await using two = await openEngine({ place, providers: [never.provider], tuning: quick })
    const { error } = await two.reached(id, 'OUTCOME_UNKNOWN')
    expect(error?.message).toMatch(
      /did not finish it within 0.3 seconds, not counting \d+ seconds in which it was not asked/,
    )
    await two.close()
  })

  it('is checked with growing delays while its provider is unreachable, and 5 times before it is UNKNOWN', async () => {
    const { provider, checked } = accepting(() => Promise.reject(failure('unreached')), { timeoutMs: 1 })
    await using one = await openEngine({ database, providers: [provider], tuning: quick })
    const { id } = await one.create()
    const delays: number[] = []
    for (let nth = 1; nth <= 4; nth++) {
      await expect.poll(async () => (await one.attempts(id))[0]?.failedChecks).toBe(nth)
      const [attempt] = await one.attempts(id)
      delays.push(Math.round((attempt!.runAfter - Date.now()) / 1000))
      await one.db.tx(async (q) => {
        await updateAttempt(q, attempt!.id, { from: ['ACCEPTED'], to: 'ACCEPTED' }, { dueInMs: 0 })
        q.wakeUp(QUEUE_KEY)
      })
    }
    const { error } = await one.reached(id, 'OUTCOME_UNKNOWN')
    expect(delays).toEqual([5, 10, 20, 40])
    expect(error?.message).toContain('could not be checked: the last 5 checks failed')
    expect(checked.length).toBeGreaterThanOrEqual(5)
  })

  it('whose outcome became UNKNOWN is checked again, and its late result is stored', async () => {
    let isReady = false
    const { provider } = accepting(async (sent) => (isReady ? done(sent) : pending()), { timeoutMs: 200 })
    const tuning = { ...quick, reapMs: 20, lookupDelaysMs: [200, 400, 600, 800, 1000] }
    await using one = await openEngine({ database, providers: [provider], tuning })
    const { id } = await one.create()
    await one.reached(id, 'OUTCOME_UNKNOWN')
    isReady = true
    await one.reached(id, 'SUCCEEDED')
    expect((await one.attempts(id))[0]).toMatchObject({ state: 'SUCCEEDED', charged: 'YES' })
    expect(provider.sent).toHaveLength(1)
  })

  it('is checked after its model left the configuration, and its result is stored with an unknown cost', async () => {
    const first = accepting(async () => pending())
    await using one = await openEngine({ database, providers: [first.provider], tuning: quick })
    const { id } = await one.create({ n: 2, quality: 'HIGH' })
    await expect.poll(() => first.checked.length).toBeGreaterThan(0)
    await one.close()

    const settings: Settings[] = []
    const second = accepting((sent) => (settings.push(sent.order), done(sent, REPORTED)))
    const offers = second.provider.offers.filter(({ model }) => model !== 'gpt-image-2')
    const provider = { ...second.provider, offers }
    await using two = await openEngine({ place: one.place, providers: [provider], tuning: quick })
    await two.reached(id, 'SUCCEEDED')
    expect(second.provider.sent).toEqual([])
    expect(settings).toMatchObject([{ model: 'gpt-image-2', quality: 'HIGH', n: 2 }])
    const [attempt] = await two.attempts(id)
    expect(attempt).toMatchObject({ state: 'SUCCEEDED', charged: 'YES', images: 2, inputTokens: 10 })
    expect(attempt).toMatchObject({ costMicros: null, priceVersion: null })
    await two.close()
  })

  it('becomes UNKNOWN after the timeout when its provider no longer supports checks', async () => {
    const first = accepting(async () => pending())
    await using one = await openEngine({ database, providers: [first.provider], tuning: quick })
    const { id } = await one.create()
    await expect.poll(() => first.checked.length).toBeGreaterThan(0)
    await one.close()

    const provider = scripted((sent) => done(sent), { timeoutMs: 300 })
    await using two = await openEngine({ place: one.place, providers: [provider], tuning: quick })
    const { error } = await two.reached(id, 'OUTCOME_UNKNOWN')
    expect(error?.message).toMatch(/accepted the request and cannot be checked/)
    expect(provider.sent).toEqual([])
    await two.close()
  })

  it('is checked at once after a callback that its provider no longer reads', async () => {
    let url = ''
    const first = scripted(
      async ({ call }) => {
        url = call.callbackUrl ?? ''
        return { state: 'ACCEPTED', remoteId: 'remote', checkAfterMs: 600_000 }
      },
      { readCallback: () => ({ remoteId: 'remote' }), check: async () => pending() },
    )
    await using one = await openEngine({ database, providers: [first], wrap: reachable })
    const { id } = await one.create()
    await expect.poll(async () => (await one.attempts(id))[0]?.state).toBe('ACCEPTED')
    await one.close()

    const { provider } = accepting((sent) => done(sent))
    await using two = await openEngine({ place: one.place, providers: [provider], tuning: quick })
    expect(await two.engine.receiveCallback(url.split('/').at(-1)!, '{}')).toBe('STORED')
    await two.reached(id, 'SUCCEEDED')
    await two.close()
  })

  it('is accepted even when its lease expired before the response', async () => {
    const slow = held()
    const { provider } = accepting((sent) => done(sent))
    const late: Provider = {
      ...provider,
      submit: (order, call) => (call.onWire('DISPATCHED'), slow.answer({ order, call })),
    }
    await using one = await openBesideOther({
      database,
      providers: [late],
      tuning: { leaseMs: 100, heartbeatMs: 60_000, reapMs: 60_000, pollMs: 20 },
    })
    const { id } = await one.create()
    await one.reached(id, 'OUTCOME_UNKNOWN')
    slow.release({ state: 'ACCEPTED', remoteId: 'late', checkAfterMs: 0 })
    await one.reached(id, 'SUCCEEDED')
    expect((await one.attempts(id)).map(({ state, remoteId }) => [state, remoteId])).toEqual([
      ['SUCCEEDED', 'late'],
    ])
  })

  it('is canceled at the provider on a cancel request, and a paid result is stored', async () => {
    const canceled: string[] = []
    const gate = held()
    const { provider } = accepting(
      (sent, nth) => (nth === 1 ? Promise.resolve(pending()) : gate.answer(sent)),
      {
        cancel: async (remoteId) => void canceled.push(remoteId),
      },
    )
    await using one = await openEngine({ database, providers: [provider], tuning: quick })
    const { id } = await one.create()
    await expect.poll(async () => (await one.attempts(id))[0]?.state).toBe('ACCEPTED')
    const task = await one.engine.cancelTask(DEFAULT_PROJECT, id)
    expect(task).toMatchObject({ status: 'RUNNING', cancelRequestedAt: expect.any(Number) })
    await expect.poll(() => canceled).toEqual(['remote-0'])
    gate.resolveWith((sent) => done(sent))
    await one.reached(id, 'CANCELED')
    expect((await one.attempts(id))[0]).toMatchObject({ state: 'SUCCEEDED', charged: 'YES' })
  })

  it('is canceled at the provider as soon as it is accepted, when the cancel request came first', async () => {
    const canceled: string[] = []
    const gate = held()
    const { provider } = accepting((sent) => done(sent), {
      cancel: async (remoteId) => void canceled.push(remoteId),
    })
    const slow: Provider = { ...provider, submit: (order, call) => gate.answer({ order, call }) }
    await using one = await openEngine({ database, providers: [slow], tuning: quick })
    const { id } = await one.create()
    await one.reached(id, 'RUNNING')
    await one.engine.cancelTask(DEFAULT_PROJECT, id)
    expect(canceled).toEqual([])
    gate.release({ state: 'ACCEPTED', remoteId: 'late', checkAfterMs: 0 })
    await one.reached(id, 'CANCELED')
    expect(canceled).toEqual(['late'])
  })
})
