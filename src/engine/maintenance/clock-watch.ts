import { moveEarlier, readDatabaseNow, removeFutureWindows } from '../../db/maintenance/clock.ts'
import { QUEUE_KEY } from '../../db/attempts/attempts.ts'
import { OUTBOX_KEY } from '../../db/webhooks/deliveries.ts'
import { MIN_JUMP_MS } from '../../clock.ts'
import type { Deps } from '../deps.ts'
import { UNUSED_FOR_MS } from './housekeeping.ts'

export interface ClockWatch {
  /**
   * Detects and logs that a clock was set, and corrects the queue's times. False for `leaseMs` after a jump forward:
   * every lease seems expired, until its owner renews it.
   */
  areLeasesReliable(): Promise<boolean>
  /** False for UNUSED_FOR_MS after a jump forward: new files and rows seem old. */
  areAgesReliable(): Promise<boolean>
}

export function createClockWatch(
  deps: Pick<Deps, 'db' | 'clock' | 'log' | 'tuning' | 'delivery' | 'wakeUps'>,
): ClockWatch {
  const { db, clock, log, tuning, wakeUps } = deps
  /** Of the database's time to the monotonic one. */
  let offset: number | undefined
  let leasesUnreliableUntil = -Infinity
  let agesUnreliableUntil = -Infinity

  async function readJump(): Promise<{ jump: number; current: number }> {
    const before = clock.monotonic()
    const now = await readDatabaseNow(db.read)
    const after = clock.monotonic()
    // The database's clock was read between the two.
    const current = now - (before + after) / 2
    const jump = current - (offset ?? current)
    return { jump: Math.abs(jump) < MIN_JUMP_MS + (after - before) ? 0 : Math.round(jump), current }
  }

  async function correct(jump: number): Promise<void> {
    log.warn({ ms: jump }, "the database's clock was set")
    if (jump > 0) {
      leasesUnreliableUntil = clock.monotonic() + tuning.leaseMs
      return
    }
    const { leaseMs } = tuning
    await db.tx(async (q) => {
      await moveEarlier(q, { ms: -jump, leaseMs, deliveryLeaseMs: deps.delivery.leaseMs })
      q.wakeUp(QUEUE_KEY)
      q.wakeUp(OUTBOX_KEY)
    })
  }

  async function observeOwn(): Promise<void> {
    const jump = clock.takeJump()
    if (jump === 0) return
    log.warn({ ms: Math.round(jump) }, 'the clock of this process was set')
    wakeUps.wake('*')
    if (jump > 0) agesUnreliableUntil = clock.monotonic() + UNUSED_FOR_MS
    else await db.tx((q) => removeFutureWindows(q, clock.now()))
  }

  return {
    async areLeasesReliable() {
      await observeOwn()
      const { jump, current } = await readJump()
      if (jump !== 0) await correct(jump)
      // Only now: repeats a failed correction.
      offset = current
      return clock.monotonic() >= leasesUnreliableUntil
    },
    async areAgesReliable() {
      await observeOwn()
      return clock.monotonic() >= agesUnreliableUntil
    },
  }
}
