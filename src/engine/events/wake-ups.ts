import type { Clock } from '../../clock.ts'

/** Notifications without data: the waiter reads the database. */
export interface WakeUps {
  /** `*` wakes all. */
  wake(key: string): void
  /** Before the first read, so that no wake-up is missed. */
  wait(key: string): Waiter
  /**
   * Shares one `read` among callers with the same `key` and `what`, while it runs and in the same turn of the
   * event loop. A woken caller never gets an earlier read.
   */
  once<T>(key: string, what: string, read: () => Promise<T>): Promise<T>
  /** By prefix of the key. */
  count(prefix: string): number
}

export interface Waiter {
  /** Resolves when woken since the last `next`, after `ms`, or on abort. Never rejects. */
  next(ms: number, signal: AbortSignal): Promise<void>
  close(): void
}

export function createWakeUps(clock: Clock): WakeUps {
  const waiting = new Map<string, Set<() => void>>()
  const reading = new Map<string, Map<string, Promise<unknown>>>()

  return {
    wake(key) {
      if (key === '*') reading.clear()
      else reading.delete(key)
      if (key === '*') for (const waiters of waiting.values()) for (const wake of waiters) wake()
      else for (const wake of waiting.get(key) ?? []) wake()
    },

    wait(key) {
      let isWoken = false
      let stop: AbortController | undefined
      const wake = () => {
        isWoken = true
        // Without a reason it makes an error with a stack trace.
        stop?.abort('woken')
      }
      const waiters = waiting.get(key) ?? new Set()
      waiting.set(key, waiters.add(wake))
      return {
        async next(ms, signal) {
          if (!isWoken && !signal.aborted) {
            stop = new AbortController()
            const end = stop.abort.bind(stop)
            signal.addEventListener('abort', end)
            await clock.sleep(ms, stop.signal)
            signal.removeEventListener('abort', end)
          }
          isWoken = false
        },
        close() {
          waiters.delete(wake)
          if (waiters.size === 0 && waiting.get(key) === waiters) waiting.delete(key)
        },
      }
    },

    once<T>(key: string, what: string, read: () => Promise<T>) {
      const shared = reading.get(key) ?? new Map<string, Promise<unknown>>()
      reading.set(key, shared)
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- callers with the same `what` pass the same `read`
      const known = shared.get(what) as Promise<T> | undefined
      if (known) return known
      const result = read()
      shared.set(what, result)
      const forget = () =>
        setImmediate(() => {
          shared.delete(what)
          if (shared.size === 0 && reading.get(key) === shared) reading.delete(key)
        })
      result.then(forget, forget)
      return result
    },

    count(prefix) {
      let count = 0
      for (const [key, waiters] of waiting) if (key.startsWith(prefix)) count += waiters.size
      return count
    },
  }
}

/**
 * Calls `claim`, which returns the maximum sleep, until `stop`. `onError` returns the time after a failure.
 */
export async function repeatClaims(
  waiter: Waiter,
  claim: () => Promise<number>,
  stop: AbortSignal,
  onError: (error: unknown) => number,
): Promise<void> {
  while (!stop.aborted) {
    const sleepMs = await claim().catch(onError)
    if (sleepMs > 0) await waiter.next(sleepMs, stop)
  }
  waiter.close()
}
