// A process whose leases expire while it lives.
import { setTimeout as pause } from 'node:timers/promises'
import { sql } from 'drizzle-orm'
import { describe, expect, it, onTestFinished } from 'vitest'
import { DATABASES, newPlace } from '../support/database.ts'
import { openEngine } from '../support/engine.ts'
import { startGateway } from '../support/gateway-process.ts'
import { done, held, scripted } from '../support/scripted.ts'
import { expectConsistency } from './consistency.ts'
import { startFaultyUpstream } from './upstream.ts'

const TUNING = { leaseMs: 1000, heartbeatMs: 300, reapMs: 100, pollMs: 50 }
const RESEND = { onUnknownOutcome: 'RESEND', maxCharges: 2 } as const

describe.each(DATABASES)('a single process on %s, with permission to send again', (database) => {
  it('keeps its own calls when it was stopped for longer than its lease', async () => {
    const place = await newPlace(database)
    onTestFinished(() => place.remove())
    await using upstream = await startFaultyUpstream()
    upstream.script(upstream.hold, upstream.hold)
    {
      await using stopped = await startGateway(place, { providers: [upstream.entry], engine: TUNING })
      const ids = [
        await stopped.generate({ prompt: 'a', ...RESEND }),
        await stopped.generate({ prompt: 'b', ...RESEND }),
      ]
      await expect.poll(() => upstream.charges.length).toBe(2)
      stopped.signal('SIGSTOP')
      const stoppedAt = performance.now()
      await expect.poll(() => performance.now() - stoppedAt).toBeGreaterThan(3 * TUNING.leaseMs)
      stopped.signal('SIGCONT')
      // Several searches for expired leases.
      const resumedAt = performance.now()
      await expect.poll(() => performance.now() - resumedAt).toBeGreaterThan(600)
      upstream.release()
      for (const id of ids) expect(await stopped.ended(id)).toEqual({ status: 'SUCCEEDED' })
    }
    expect(upstream.charges).toHaveLength(2)
    const { attempts } = await expectConsistency(place, upstream.charges)
    expect(attempts.map(({ state }) => state)).toEqual(['SUCCEEDED', 'SUCCEEDED'])
  })

  it('reads an answer that arrived while it was stopped for longer than the call may take', async () => {
    const place = await newPlace(database)
    onTestFinished(() => place.remove())
    await using upstream = await startFaultyUpstream()
    upstream.script(upstream.hold)
    const timeoutMs = 2_000
    const entry = { ...upstream.entry, timeoutMs }
    await using stopped = await startGateway(place, { providers: [entry], engine: TUNING })
    const id = await stopped.generate({ prompt: 'a' })
    await expect.poll(() => upstream.charges.length).toBe(1)
    stopped.signal('SIGSTOP')
    upstream.release()
    await pause(timeoutMs + 1_500)
    stopped.signal('SIGCONT')
    expect(await stopped.ended(id)).toEqual({ status: 'SUCCEEDED' })
    expect(upstream.charges).toHaveLength(1)
  })

  it('keeps its own calls and checks when the clock is set forward beyond its leases', async () => {
    const [call, check] = [held(), held()]
    let checks = 0
    const provider = scripted(
      async (sent, nth) =>
        nth === 1 ? call.answer(sent) : { state: 'ACCEPTED', remoteId: `remote-${nth}`, checkAfterMs: 0 },
      { check: (_, order, checking) => (checks++, check.answer({ order, call: checking })) },
    )
    const tuning = { ...TUNING, heartbeatMs: 600_000, leaseMs: 30_000 }
    await using one = await openEngine({ database, providers: [provider], tuning })
    const sent = await one.create(RESEND)
    await expect.poll(() => provider.sent.length).toBe(1)
    const accepted = await one.create(RESEND)
    await expect.poll(() => checks).toBe(1)
    // As seen by a clock that is an hour ahead.
    const { attempts } = one.db.read.tables
    const hourEarlier = { leaseUntil: sql`${attempts.leaseUntil} - 3600000` }
    await one.db.tx(async (q) => void (await q.sql.update(attempts).set(hourEarlier)))
    const other = await one.create(RESEND)
    await expect.poll(() => checks).toBe(2)
    // Several searches for expired leases.
    await pause(5 * TUNING.reapMs)
    expect((await one.attempts(sent.id)).map(({ state }) => state)).toEqual(['SENDING'])
    expect(checks).toBe(2)
    call.resolveWith((more) => done(more))
    check.resolveWith((more) => done(more))
    for (const { id } of [sent, accepted, other]) await one.reached(id, 'SUCCEEDED')
    expect(provider.sent).toHaveLength(3)
  })
})
