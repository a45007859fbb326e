import { moveEarlier, readDatabaseNow, removeFutureWindows } from '../../db/maintenance/clock.ts'
import { QUEUE_KEY } from '../../db/attempts/attempts.ts'
import { OUTBOX_KEY } from '../../db/webhooks/deliveries.ts'
import { MIN_JUMP_MS } from '../../clock.ts'
import type { Deps } from '../deps.ts'

export interface ClockWatch {
  /**
   * Detects that the clock of this process or of the database was set, logs it, and corrects the times of the queue. False
   * for `leaseMs` after a jump forward: every lease seems to have expired, until its owner renews it.
   */
  areLeasesReliable(): Promise<boolean>
}

export function createClockWatch(
  deps: Pick<Deps, 'db' | 'clock' | 'log' | 'tuning' | 'delivery' | 'wakeUps'>,
): ClockWatch {
  const { db, clock, log, tuning, wakeUps } = deps
  /** Of the database's time to the monotonic one. */
  let offset: number | undefined
  let unreliableUntil = -Infinity

  async function readJump(): Promise<{ jump: number; current: number }> {
    const before = clock.monotonic()
    const now = await readDatabaseNow(db.read)
    const after = clock.monotonic()
    // The database read its clock at some moment between the two.
    const current = now - (before + after) / 2
    const jump = current - (offset ?? current)
    return { jump: Math.abs(jump) < MIN_JUMP_MS + (after - before) ? 0 : Math.round(jump), current }
  }

  async function correct(jump: number): Promise<void> {
    log.warn({ ms: jump }, "the database's clock was set")
    if (jump > 0) {
      unreliableUntil = clock.monotonic() + tuning.leaseMs
      return
    }
    const { leaseMs } = tuning
    await db.tx(async (q) => {
      await moveEarlier(q, { ms: -jump, leaseMs, deliveryLeaseMs: deps.delivery.leaseMs })
      q.wakeUp(QUEUE_KEY)
      q.wakeUp(OUTBOX_KEY)
    })
  }

  return {
    async areLeasesReliable() {
      const own = clock.takeJump()
      if (own !== 0) log.warn({ ms: Math.round(own) }, 'the clock of this process was set')
      if (own < 0) await db.tx((q) => removeFutureWindows(q, clock.now()))
      const { jump, current } = await readJump()
      if (jump !== 0) await correct(jump)
      // Only now, so that a failed correction is repeated.
      offset = current
      if (own !== 0) wakeUps.wake('*')
      return clock.monotonic() >= unreliableUntil
    },
  }
}
