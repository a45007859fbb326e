// Clocks that are set. The tests shift the monotonic clock of the engine, or its wall clock, against the others.
import { performance } from 'node:perf_hooks'
import { setTimeout as pause } from 'node:timers/promises'
import { eq, sql } from 'drizzle-orm'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createClock } from '../../src/clock.ts'
import { DATABASES, newPlace } from '../support/database.ts'
import { ANY_ADDRESS, openReceiver } from '../support/receiver.ts'
import { openEngine, type TestEngine } from '../support/engine.ts'
import { done, scripted } from '../support/scripted.ts'

const [MINUTE, HOUR] = [60_000, 3_600_000]
const QUICK = { pollMs: 50, reapMs: 50, heartbeatMs: 100, leaseMs: 1_500 }

function shiftedClock() {
  const shift = { wallMs: 0, monotonicMs: 0 }
  const clock = createClock({
    now: () => Date.now() + shift.wallMs,
    monotonic: () => performance.now() + shift.monotonicMs,
  })
  return { shift, clock }
}

/** As if the database's clock had been set back by an hour since the attempt was planned. */
async function planInFuture({ db }: TestEngine, taskId: string): Promise<void> {
  await db.tx(async (q) => {
    const { attempts } = q.tables
    const runAfter = sql`${attempts.runAfter} + ${HOUR}`
    await q.sql.update(attempts).set({ runAfter }).where(eq(attempts.taskId, taskId))
  })
}

describe.each(DATABASES)('on %s, a clock that is set', (database) => {
  it('back by an hour delays no queued task by more than seconds', async () => {
    const { shift, clock } = shiftedClock()
    const provider = scripted((sent) => done(sent))
    await using one = await openEngine({
      database,
      providers: [provider],
      tuning: QUICK,
      start: false,
      wrap: (deps) => ({ ...deps, clock }),
    })
    const { id } = await one.create()
    await planInFuture(one, id)
    await one.engine.start()
    await pause(300)
    expect(provider.sent).toEqual([])
    // The database's clock against the monotonic one.
    shift.monotonicMs = HOUR
    await one.reached(id, 'SUCCEEDED')
  })

  it('back by an hour while no server runs delays no queued task', async () => {
    const provider = scripted((sent) => done(sent))
    const { shift, clock } = shiftedClock()
    await using one = await openEngine({
      database,
      providers: [provider],
      tuning: QUICK,
      start: false,
      wrap: (deps) => ({ ...deps, clock }),
    })
    shift.wallMs = HOUR
    const { id } = await one.create()
    await planInFuture(one, id)
    shift.wallMs = 0
    await one.engine.start()
    await one.reached(id, 'SUCCEEDED')
    expect(provider.sent).toHaveLength(1)
  })

  it('ahead until the server was killed delays no accepted request by more than the longest wait', async () => {
    const place = await newPlace(database)
    onTestFinished(() => place.remove())
    const provider = scripted(
      async () => ({ state: 'ACCEPTED', remoteId: 'remote-1', checkAfterMs: MINUTE }),
      { check: async (_, order, call) => done({ order, call }) },
    )
    const options = { place, providers: [provider], tuning: { ...QUICK, maxCooldownMs: 1_000 } }
    const killed = await openEngine(options)
    const { id } = await killed.create()
    await expect.poll(async () => (await killed.attempts(id))[0]?.state).toBe('ACCEPTED')
    await planInFuture(killed, id)
    await killed.close()
    await using next = await openEngine(options)
    await expect.poll(async () => (await next.task(id)).status, { timeout: 5_000 }).toBe('SUCCEEDED')
    expect(provider.sent).toHaveLength(1)
  })

  it('ahead until the server was killed delays no attempt that it had claimed', async () => {
    const provider = scripted((sent) => done(sent))
    await using one = await openEngine({ database, providers: [provider], tuning: QUICK, start: false })
    const { id } = await one.create()
    await planInFuture(one, id)
    await one.db.tx(async (q) => {
      const { attempts } = q.tables
      const claimed = {
        state: 'LEASED' as const,
        leaseOwner: 'killed',
        leaseEpoch: 1,
        leaseUntil: sql`${q.now} + 100`,
      }
      await q.sql.update(attempts).set(claimed).where(eq(attempts.taskId, id))
    })
    await one.engine.start()
    await expect.poll(async () => (await one.task(id)).status, { timeout: 8_000 }).toBe('SUCCEEDED')
    expect(provider.sent).toHaveLength(1)
  })

  it('ahead until the server was killed delays no first delivery of a webhook', async () => {
    await using receiver = await openReceiver()
    const provider = scripted((sent) => done(sent))
    const { shift, clock } = shiftedClock()
    await using one = await openEngine({
      database,
      providers: [provider],
      tuning: QUICK,
      webhookRule: ANY_ADDRESS,
      start: false,
      wrap: (deps) => ({ ...deps, clock }),
    })
    shift.wallMs = HOUR
    const { id, projectId } = await one.create({ callbackUrl: `${receiver.url}/webhook` })
    await one.engine.cancelTask(projectId, id)
    await one.db.tx(async (q) => {
      const { webhookDeliveries: deliveries } = q.tables
      const nextAt = sql`${deliveries.nextAt} + ${HOUR}`
      await q.sql.update(deliveries).set({ nextAt }).where(eq(deliveries.taskId, id))
    })
    shift.wallMs = 0
    await one.engine.start()
    expect(await receiver.received(1)).toHaveLength(1)
  })

  it('forward by eleven minutes gives up no request that is seconds old', async () => {
    const { shift, clock } = shiftedClock()
    let [checks, isDone] = [0, false]
    const provider = scripted(async () => ({ state: 'ACCEPTED', remoteId: 'remote-1', checkAfterMs: 0 }), {
      timeoutMs: 10 * MINUTE,
      async check(_, order, call) {
        checks++
        return isDone ? done({ order, call }) : { state: 'PENDING', progress: null, checkAfterMs: 20 }
      },
    })
    await using one = await openEngine({
      database,
      providers: [provider],
      tuning: QUICK,
      wrap: (deps) => ({ ...deps, clock }),
    })
    const { id } = await one.create()
    await expect.poll(() => checks).toBeGreaterThan(1)
    shift.wallMs = 11 * MINUTE
    const before = checks
    await expect.poll(() => checks).toBeGreaterThan(before + 2)
    isDone = true
    await one.reached(id, 'SUCCEEDED')
    expect(provider.sent).toHaveLength(1)
  })

  it('forward takes no attempt from a process that still works, until its lease could be renewed', async () => {
    const { shift, clock } = shiftedClock()
    const provider = scripted((sent) => done(sent))
    await using one = await openEngine({
      database,
      providers: [provider],
      tuning: { ...QUICK, leaseMs: 3_000 },
      wrap: (deps) => ({ ...deps, clock }),
    })
    await one.engine.pauseProvider({ provider: provider.name, model: null }, 'a test')
    const { id } = await one.create()
    const lease = (leaseUntil: number) =>
      one.db.tx((q) =>
        q.sql
          .update(q.tables.attempts)
          .set({ state: 'LEASED', leaseOwner: 'wrk_other', leaseUntil })
          .where(eq(q.tables.attempts.taskId, id)),
      )
    await lease(Date.now() + HOUR)
    shift.monotonicMs = -11 * MINUTE
    await pause(500)
    await lease(1)
    await pause(1_000)
    expect(await one.attempts(id)).toMatchObject([{ state: 'LEASED', leaseOwner: 'wrk_other' }])
    await expect.poll(async () => (await one.attempts(id))[0]?.state).toBe('PLANNED')
    expect(provider.sent).toEqual([])
  })
})

describe('a clock that is set forward', () => {
  it('removes no file for an hour, because new files seem to be old', async () => {
    const { shift, clock } = shiftedClock()
    const hourly = {
      ...clock,
      sleep: (ms: number, signal?: AbortSignal) => clock.sleep(ms >= HOUR ? 20 : ms, signal),
    }
    let sweeps = 0
    const sweep = async () => void sweeps++
    await using one = await openEngine({
      providers: [],
      wrap: (deps) => ({ ...deps, clock: hourly, store: { ...deps.store, sweep } }),
    })
    await expect.poll(() => sweeps).toBeGreaterThan(2)
    shift.wallMs = 2 * HOUR
    await pause(100)
    const before = sweeps
    await pause(300)
    expect(sweeps).toBe(before)
    shift.monotonicMs = HOUR
    shift.wallMs = 3 * HOUR
    await expect.poll(() => sweeps).toBeGreaterThan(before)
    expect(one.engine.subscriberCount()).toBe(0)
  })

  it('deletes no task for an hour, because new tasks seem to be old', async () => {
    const { shift, clock } = shiftedClock()
    const frequent = {
      ...clock,
      sleep: (ms: number, signal?: AbortSignal) => clock.sleep(ms >= 5 * MINUTE ? 20 : ms, signal),
    }
    await using one = await openEngine({
      providers: [scripted((sent) => done(sent))],
      wrap: (deps) => ({ ...deps, clock: frequent, retention: { ...deps.retention, tasksMs: HOUR } }),
    })
    const { id } = await one.create()
    await one.reached(id, 'SUCCEEDED')
    shift.wallMs = 2 * HOUR
    await pause(300)
    expect(await one.task(id)).toMatchObject({ deletedAt: null })
    shift.monotonicMs = HOUR
    shift.wallMs = 3 * HOUR
    await expect.poll(async () => (await one.task(id)).deletedAt).not.toBeNull()
  })
})

describe('a clock', () => {
  it('reports that it was set, by how much, and once', () => {
    let [now, monotonic] = [1_000_000, 0]
    const clock = createClock({ now: () => now, monotonic: () => monotonic })
    expect(clock.takeJump()).toBe(0)
    now += 1_000
    monotonic += 1_000
    expect(clock.takeJump()).toBe(0)
    now -= HOUR
    expect(clock.takeJump()).toBe(-HOUR)
    expect(clock.takeJump()).toBe(0)
  })

  it('counts no time that it skipped, and all other time', () => {
    let [now, monotonic] = [1_000_000, 0]
    const clock = createClock({ now: () => now, monotonic: () => monotonic })
    const pass = (ms: number) => {
      now += ms
      monotonic += ms
    }
    const before = clock.now()
    pass(10_000)
    now += 11 * MINUTE
    expect(clock.elapsedSince(before)).toBe(10_000)
    const after = clock.now()
    pass(5_000)
    expect(clock.elapsedSince(before)).toBe(15_000)
    expect(clock.elapsedSince(after)).toBe(5_000)
    now -= HOUR
    expect(clock.elapsedSince(after)).toBe(0)
  })
})
