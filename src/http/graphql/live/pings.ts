import { AsyncLocalStorage } from 'node:async_hooks'
import type { Clock } from '../../../clock.ts'

const INTERVAL_MS = 12_000
/** Spreads the pings over the interval. */
const TICKS = 24

export interface Pings {
  /** Calls it once per interval, until the returned function is called. */
  add(ping: () => void): () => void
}

/** One timer for all streams: a timer of its own costs more than a ping. */
export function createPings(clock: Clock): Pings {
  const pings = Array.from({ length: TICKS }, () => new Set<() => void>())
  const outsideRequests = AsyncLocalStorage.snapshot()
  let count = 0
  let now = 0
  let stop = new AbortController()

  async function run({ signal }: AbortController): Promise<void> {
    while (!signal.aborted) {
      await clock.sleep(INTERVAL_MS / TICKS, signal)
      now = (now + 1) % TICKS
      for (const ping of pings[now]!) ping()
    }
  }

  return {
    add(ping) {
      const group = pings[now]!
      group.add(ping)
      if (count++ === 0) outsideRequests(() => void run((stop = new AbortController())))
      return () => {
        if (group.delete(ping) && --count === 0) stop.abort()
      }
    },
  }
}
