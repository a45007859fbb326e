// A computed value as a live source: an entry per change. The position is its version, which grows with each.
import { createHash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Deps } from '../deps.ts'
import { createLiveSource, type LiveSource } from './live-source.ts'

export interface WatchedValue<Value> {
  /** Values with the same key are the same. */
  key: string
  /** Woken when it may have changed. */
  wakeUpKey: string
  read: () => Promise<Value>
  /** What counts as a change: JSON. */
  contentOf: (value: Value) => unknown
  /** When it may change without a wake-up; 10 seconds at most. */
  maxIntervalMs?: (value: Value) => number
}

const MIN_INTERVAL_MS = 1000

/** For changes without a wake-up. */
const MAX_INTERVAL_MS = 10_000

/** Reads take at most a tenth of the time. */
const PAUSE_FACTOR = 9

/** A value beyond them may repeat once. */
const MAX_VERSIONS = 1000

/** Yields at once, then changes, at most once a second. Never ends. */
export function createValueWatch({ clock, wakeUps }: Pick<Deps, 'clock' | 'wakeUps'>) {
  const versions = new LRUCache<string, { content: string; version: number }>({ max: MAX_VERSIONS })
  let latest = 0

  function versionOf(key: string, content: unknown): number {
    const hash = createHash('sha256').update(JSON.stringify(content)).digest('base64')
    const known = versions.get(key)
    if (known?.content === hash) return known.version
    versions.set(key, { content: hash, version: ++latest })
    return latest
  }

  return <Value>(watched: WatchedValue<Value>): LiveSource<Value> => {
    const { key, wakeUpKey, contentOf, maxIntervalMs = () => MAX_INTERVAL_MS } = watched
    let durationMs = 0
    let nextReadMs = MAX_INTERVAL_MS

    async function read(position: number) {
      const startedAt = clock.monotonic()
      const { version, value } = await wakeUps.once(wakeUpKey, key, async () => {
        const fresh = await watched.read()
        return { version: versionOf(key, contentOf(fresh)), value: fresh }
      })
      durationMs = clock.monotonic() - startedAt
      nextReadMs = Math.min(MAX_INTERVAL_MS, maxIntervalMs(value))
      const entries = version > position ? [{ position: version, item: value }] : []
      return { entries, position: version, hasMore: false, isEnd: false, isLost: false }
    }

    return createLiveSource({
      log: {
        key,
        read,
        wait() {
          const waiter = wakeUps.wait(wakeUpKey)
          return {
            async next(signal) {
              await clock.sleep(Math.max(MIN_INTERVAL_MS, durationMs * PAUSE_FACTOR), signal)
              await waiter.next(nextReadMs, signal)
            },
            close: () => waiter.close(),
          }
        },
      },
      start: () => read(-1),
    })
  }
}

export type ValueWatch = ReturnType<typeof createValueWatch>
