import type { Clock } from '../../clock.ts'

/** Notifications to look again, by key. They carry no data: the waiter reads the database. */
export interface WakeUps {
  /** Wakes the waiters for `key`; `*` wakes all. */
  wake(key: string): void
  /** Starts to wait. Do it before the first read, so that nothing falls between the two. */
  wait(key: string): Waiter
  /**
   * What `read` gives, shared by all who ask for the same `what` of `key` while it is under way or in the same turn of
   * the event loop. A caller that was woken never gets what was read before the wake-up.
   */
  once<T>(key: string, what: string, read: () => Promise<T>): Promise<T>
  /** How many wait for keys that begin so. */
  count(prefix: string): number
}

export interface Waiter {
  /** Resolves when woken since the last `next`, after `ms`, or when `signal` aborts. Never rejects. */
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
      if (key === '*') for (const rings of waiting.values()) for (const ring of rings) ring()
      else for (const ring of waiting.get(key) ?? []) ring()
    },

    wait(key) {
      let woken = false
      let stop: AbortController | undefined
      const ring = () => {
        woken = true
        stop?.abort()
      }
      const rings = waiting.get(key) ?? new Set()
      waiting.set(key, rings.add(ring))
      return {
        async next(ms, signal) {
          if (!woken && !signal.aborted) {
            stop = new AbortController()
            const end = stop.abort.bind(stop)
            signal.addEventListener('abort', end)
            await clock.sleep(ms, stop.signal)
            signal.removeEventListener('abort', end)
          }
          woken = false
        },
        close() {
          rings.delete(ring)
          if (rings.size === 0 && waiting.get(key) === rings) waiting.delete(key)
        },
      }
    },

    once<T>(key: string, what: string, read: () => Promise<T>) {
      const shared = reading.get(key) ?? new Map<string, Promise<unknown>>()
      reading.set(key, shared)
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- whoever asks for the same asks with the same read
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
      for (const [key, rings] of waiting) if (key.startsWith(prefix)) count += rings.size
      return count
    },
  }
}
