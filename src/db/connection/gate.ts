import { Unavailable } from '../../errors.ts'
import { isForClient } from './priority.ts'
import { afterTurnTime, turnTime } from './turn-clock.ts'

type Kind = 'engine' | 'client'

interface Waiter {
  enter(): void
  isGone: boolean
}

export interface Gate {
  /**
   * Waits for a slot and returns the function that frees it. The engine goes first, but leaves RESERVED slots
   * to requests. Throws Unavailable at once if too many requests wait, after `stallMs` in which no slot was
   * freed, and after `maxWaitMs`. The slot of a lost connection does not count as freed.
   */
  enter(limits: { stallMs: number; maxWaitMs: number }): Promise<(isLost: boolean) => void>
}

const RESERVED = 2
/** Requests that wait, per slot: a few seconds of work. */
const MAX_WAITING_PER_SLOT = 100
/** Clients refused together must not return together. */
const RETRY_SPREAD_S = 4

export function createGate(slots: number): Gate {
  const queues: Record<Kind, Waiter[]> = { engine: [], client: [] }
  const inUse: Record<Kind, number> = { engine: 0, client: 0 }
  let freedAt = -Infinity
  let refusals = 0

  function isFree(kind: Kind): boolean {
    if (inUse.engine + inUse.client >= slots) return false
    return kind === 'client' || slots <= RESERVED || inUse.engine < slots - RESERVED
  }

  function admit(): void {
    for (const kind of ['engine', 'client'] as const) {
      const queue = queues[kind]
      while (queue.length > 0 && isFree(kind)) {
        const waiter = queue.shift()!
        if (!waiter.isGone) waiter.enter()
      }
    }
  }

  function take(kind: Kind): (isLost: boolean) => void {
    inUse[kind]++
    return (isLost) => {
      inUse[kind]--
      if (!isLost) freedAt = turnTime()
      admit()
    }
  }

  function refusal(): Unavailable {
    const seconds = 1 + (refusals++ % RETRY_SPREAD_S)
    return new Unavailable('Too many requests wait for the database.', seconds * 1000)
  }

  return {
    async enter({ stallMs, maxWaitMs }) {
      const kind = isForClient() ? 'client' : 'engine'
      if (isFree(kind)) return take(kind)
      const queue = queues[kind]
      if (kind === 'client' && queue.length >= slots * MAX_WAITING_PER_SLOT) throw refusal()
      return new Promise((resolve, reject) => {
        const waiter: Waiter = {
          isGone: false,
          enter() {
            cancel()
            resolve(take(kind))
          },
        }
        let leftMs = maxWaitMs
        const wait = () => {
          const since = turnTime()
          const ms = Math.min(stallMs, leftMs)
          leftMs -= ms
          return afterTurnTime(ms, () => {
            // Only a database that makes no progress is away.
            if (leftMs > 0 && freedAt > since) {
              cancel = wait()
              return
            }
            waiter.isGone = true
            reject(refusal())
          })
        }
        let cancel = wait()
        queue.push(waiter)
      })
    },
  }
}
