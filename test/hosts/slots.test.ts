// What processes on one database share: the slots of a provider, its probes, and their work at a shutdown.
import { describe, expect, it, onTestFinished } from 'vitest'
import { lockSlots } from '../../src/db/attempts/in-progress.ts'
import { putCooldown } from '../../src/db/providers/cooldowns.ts'
import { DATABASES } from '../support/database.ts'
import { openEngine, type TestEngine } from '../support/engine.ts'
import { done, failure, held, scripted, type Scripted } from '../support/scripted.ts'

const FAST = { pollMs: 20, reapMs: 50 }
const ACCEPTED = { state: 'ACCEPTED', remoteId: 'remote-1', checkAfterMs: 0 } as const

/** Two engines on one PostgreSQL, each with its own copy of the provider. */
async function openTwo(providersOf: () => Scripted[], tuning: Record<string, number> = FAST) {
  const [first, second] = [providersOf(), providersOf()]
  const one = await openEngine({ database: 'postgresql', providers: first, tuning })
  const two = await openEngine({ place: one.place, providers: second, tuning })
  onTestFinished(async () => {
    await two.close()
    await one[Symbol.asyncDispose]()
  })
  const sent = (nth = 0) => [...first[nth]!.sent, ...second[nth]!.sent]
  return { one, two, sent }
}

async function cool(engine: TestEngine, provider: string, forMs: number): Promise<void> {
  await engine.db.tx((q) =>
    putCooldown(q, { provider, model: '', forMs, reason: 'a test', since: Date.now() }),
  )
}

async function later(ms: number): Promise<void> {
  const until = performance.now() + ms
  await expect.poll(() => performance.now()).toBeGreaterThan(until)
}

describe('two processes on one PostgreSQL', () => {
  it('never send a provider more requests at once than its concurrency', async () => {
    let [running, most] = [0, 0]
    const { one, two, sent } = await openTwo(() => [
      scripted(
        async (request) => {
          most = Math.max(most, ++running)
          await later(20)
          running--
          return done(request)
        },
        { concurrency: 3 },
      ),
    ])
    const tasks = await Promise.all(Array.from({ length: 24 }, (_, i) => (i % 2 ? one : two).create()))
    for (const { id } of tasks) await one.reached(id, 'SUCCEEDED')
    expect([sent().length, most]).toEqual([24, 3])
  })

  it('probe a provider once after its cooldown', async () => {
    const probe = held()
    const { one, two, sent } = await openTwo(() => [scripted((request) => probe.answer(request))])
    await cool(one, 'scripted', -1)
    const tasks = await Promise.all([one.create(), two.create(), one.create(), two.create()])
    await expect.poll(() => sent().length).toBe(1)
    await later(300)
    expect(sent()).toHaveLength(1)
    probe.resolveWith((request) => done(request))
    for (const { id } of tasks) await one.reached(id, 'SUCCEEDED')
  })

  it('claim again when one of them is stopped in the middle of a claim', async () => {
    const { one, two, sent } = await openTwo(() => [scripted((request) => done(request))])
    const stopped = Promise.withResolvers<void>()
    const locked = Promise.withResolvers<void>()
    const claiming = one.db
      .tx(async (q) => {
        await lockSlots(q, 'stopped')
        locked.resolve()
        await stopped.promise
        await lockSlots(q, 'stopped')
      })
      .then(
        () => 'committed',
        () => 'refused',
      )
    await locked.promise
    const { id } = await two.create()
    await two.reached(id, 'SUCCEEDED')
    expect(sent()).toHaveLength(1)
    stopped.resolve()
    expect(await claiming).toBe('refused')
  })

  it('hand a check over at a shutdown, without a wait for a poll or for the end of the check', async () => {
    const hanging = held()
    let checks = 0
    const stopped = scripted(async () => ACCEPTED, {
      check: (_, order, call) => {
        checks++
        return hanging.answer({ order, call })
      },
    })
    const other = scripted(() => Promise.reject(failure('lost')), {
      check: (_, order, call) => done({ order, call }),
    })
    const tuning = { pollMs: 60_000, reapMs: 60_000 }
    await using one = await openEngine({ database: 'postgresql', providers: [stopped], tuning })
    const { id } = await one.create()
    await expect.poll(() => checks).toBe(1)
    await using two = await openEngine({ place: one.place, providers: [other], tuning })
    const closed = one.close({ deadlineMs: 60_000 })
    await two.reached(id, 'SUCCEEDED')
    await closed
    expect([stopped.sent.length, other.sent.length]).toEqual([1, 0])
    await two.close()
  })
})

describe.each(DATABASES)('a provider in cooldown on %s', (database) => {
  it('gives its queued attempts to the next eligible provider, and keeps those that no other may serve', async () => {
    const busy = held()
    const first = scripted((request) => busy.answer(request), { name: 'first', concurrency: 1 })
    const second = scripted((request) => done(request), { name: 'second' })
    await using one = await openEngine({ database, providers: [first, second], tuning: FAST })
    const sending = await one.create()
    await one.reached(sending.id, 'RUNNING')
    const [queued, bound] = [await one.create(), await one.create({ providers: ['first'] })]
    await cool(one, 'first', 60_000)
    await one.reached(queued.id, 'SUCCEEDED')
    expect(
      (await one.attempts(queued.id)).map(({ provider, state, charged }) => [provider, state, charged]),
    ).toEqual([
      ['first', 'CANCELED', 'NO'],
      ['second', 'SUCCEEDED', 'YES'],
    ])
    expect(await one.attempts(bound.id)).toMatchObject([{ provider: 'first', state: 'PLANNED' }])
    busy.resolveWith((request) => done(request))
    await one.reached(sending.id, 'SUCCEEDED')
    expect([first.sent.length, second.sent.length]).toEqual([1, 1])
  })

  it('does not cost a moved task one of its attempts, nor the way back', async () => {
    const [busy, gate] = [held(), held()]
    const first = scripted((request) => busy.answer(request), { name: 'first', concurrency: 1 })
    const second = scripted((request) => gate.answer(request), { name: 'second' })
    const tuning = { ...FAST, maxAttempts: 2 }
    await using one = await openEngine({ database, providers: [first, second], tuning })
    await one.reached((await one.create()).id, 'RUNNING')
    const { id } = await one.create()
    await cool(one, 'first', 60_000)
    await one.reached(id, 'RUNNING')
    await one.db.tx((q) => q.sql.delete(q.tables.cooldowns))
    gate.release(failure('unreached'))
    busy.resolveWith((request) => done(request))
    await one.reached(id, 'SUCCEEDED')
    expect((await one.attempts(id)).map(({ provider, state }) => [provider, state])).toEqual([
      ['first', 'CANCELED'],
      ['second', 'NOT_SENT'],
      ['first', 'SUCCEEDED'],
    ])
  })
})
