import type { Clock } from '../clock.ts'

/** "Look again", by key. Carries no data: whoever wakes reads the database. */
export interface Pokes {
  /** Wakes whoever waits for `key`; `*` wakes everybody. */
  wake(key: string): void
  /** Starts to wait. Do it before the first read, so that nothing falls between the two. */
  wait(key: string): Waiter
  /** How many wait for keys that begin so. */
  count(prefix: string): number
}

export interface Waiter {
  /** Resolves when poked since the last `next`, after `ms`, or when `signal` aborts. Never rejects. */
  next(ms: number, signal: AbortSignal): Promise<void>
  close(): void
}

export function createPokes(clock: Clock): Pokes {
  const waiting = new Map<string, Set<() => void>>()

  return {
    wake(key) {
      if (key === '*') for (const rings of waiting.values()) for (const ring of rings) ring()
      else for (const ring of waiting.get(key) ?? []) ring()
    },

    wait(key) {
      let poked = false
      let stop: AbortController | undefined
      const ring = () => {
        poked = true
        stop?.abort()
      }
      const rings = waiting.get(key) ?? new Set()
      waiting.set(key, rings.add(ring))
      return {
        async next(ms, signal) {
          if (!poked && !signal.aborted) {
            stop = new AbortController()
            const end = stop.abort.bind(stop)
            signal.addEventListener('abort', end)
            await clock.sleep(ms, stop.signal)
            signal.removeEventListener('abort', end)
          }
          poked = false
        },
        close() {
          rings.delete(ring)
          if (rings.size === 0 && waiting.get(key) === rings) waiting.delete(key)
        },
      }
    },

    count(prefix) {
      let count = 0
      for (const [key, rings] of waiting) if (key.startsWith(prefix)) count += rings.size
      return count
    },
  }
}
