import type { Clock } from '../../clock.ts'
import { Unavailable } from '../../errors.ts'

interface BudgetLimits {
  /** Of all bodies together. No body may be larger. */
  maxBytes: number
  maxBodies: number
  /** More are refused at once. */
  maxWaiting: number
  maxWaitMs: number
}

/** Disposing of it returns it to the budget. */
export interface Reservation extends Disposable {
  /** Returns all but `bytes` to the budget, once the size of the body is known. */
  shrink(bytes: number): void
}

export interface BodyBudget {
  /**
   * Waits for room, first in, first out. Throws SERVICE_UNAVAILABLE after `maxWaitMs`, if too many wait
   * already, or if `signal` aborts. A body of unknown size reserves its maximum: bodies that grow while they
   * hold a part could wait for each other without end.
   */
  reserve(bytes: number, signal: AbortSignal): Promise<Reservation>
  reservedBytes(): number
}

const MIB = 1024 * 1024

/** Bounds the files of uploads in the spool. */
export const UPLOAD_LIMITS: BudgetLimits = {
  maxBytes: 512 * MIB,
  maxBodies: 32,
  maxWaiting: 256,
  maxWaitMs: 15_000,
}

/** Large bodies in memory, where each byte is up to five: chunks, buffer, text, JSON values and file. */
export const MEMORY_LIMITS: BudgetLimits = {
  maxBytes: 64 * MIB,
  maxBodies: Infinity,
  maxWaiting: 256,
  maxWaitMs: 15_000,
}

const RETRY_MS = 5_000

interface Waiting {
  bytes: number
  /** Undefined: not admitted. */
  end(reservation: Reservation | undefined): void
}

export function createBodyBudget(limits: BudgetLimits, clock: Clock): BodyBudget {
  const waiting: Waiting[] = []
  let bodies = 0
  let reserved = 0

  const fits = (bytes: number) => bodies < limits.maxBodies && reserved + bytes <= limits.maxBytes

  function take(bytes: number): Reservation {
    let held = bytes
    bodies++
    reserved += held
    function shrink(to: number): void {
      if (to >= held) return
      reserved -= held - to
      held = to
      admit()
    }
    let isHeld = true
    return {
      shrink,
      [Symbol.dispose]() {
        if (!isHeld) return
        isHeld = false
        bodies--
        reserved -= held
        held = 0
        admit()
      },
    }
  }

  function admit(): void {
    for (let next = waiting[0]; next && fits(next.bytes); next = waiting[0]) {
      waiting.shift()
      next.end(take(next.bytes))
    }
  }

  async function wait(bytes: number, signal: AbortSignal): Promise<Reservation | undefined> {
    if (waiting.length === limits.maxWaiting || signal.aborted) return undefined
    const { promise, resolve } = Promise.withResolvers<Reservation | undefined>()
    const one: Waiting = { bytes, end: resolve }
    waiting.push(one)
    const leave = () => {
      const at = waiting.indexOf(one)
      if (at === -1) return
      waiting.splice(at, 1)
      resolve(undefined)
      admit()
    }
    const admitted = new AbortController()
    signal.addEventListener('abort', leave)
    void clock.sleep(limits.maxWaitMs, admitted.signal).then(leave)
    const reservation = await promise
    signal.removeEventListener('abort', leave)
    admitted.abort()
    return reservation
  }

  return {
    async reserve(bytes, signal) {
      if (waiting.length === 0 && fits(bytes)) return take(bytes)
      const reservation = await wait(bytes, signal)
      if (!reservation) throw new Unavailable('Too many large requests arrive at once.', RETRY_MS)
      return reservation
    },
    reservedBytes: () => reserved,
  }
}
