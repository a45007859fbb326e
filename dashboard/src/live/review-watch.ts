// How many attempts wait for a decision: read at the start, after a lost connection, and after events that may change it.
import type { Connection } from '../api/connection.ts'
import { ReadReviewSummary, type LiveEvent } from '../api/generated.ts'
import type { Feed } from './feed.ts'

export type ReviewSummary = Awaited<ReturnType<typeof read>>

export interface ReviewWatch {
  start: () => void
  stop: () => void
  summary: () => ReviewSummary | undefined
  subscribe: (listener: () => void) => () => void
  /** At once, after a decision of this page. */
  refresh: () => void
}

/** Between two reads. */
const INTERVAL_MS = 5_000

const read = (connection: Connection) => connection.read(ReadReviewSummary, {})

export function createReviewWatch(connection: Connection, feed: Feed): ReviewWatch {
  const listeners = new Set<() => void>()
  let summary: ReviewSummary | undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  let readAt = Number.NEGATIVE_INFINITY
  let isStopped = true
  let ends: (() => void)[] = []

  function schedule(delayMs: number): void {
    if (timer !== undefined || isStopped) return
    timer = setTimeout(() => void refresh(), Math.max(0, delayMs))
  }

  async function refresh(): Promise<void> {
    clearTimeout(timer)
    timer = undefined
    readAt = performance.now()
    try {
      summary = await read(connection)
    } catch {
      // The link of the feed shows a lost connection, and its return reads again.
      return
    }
    if (!isStopped) for (const listener of listeners) listener()
  }

  const readSoon = () => schedule(readAt + INTERVAL_MS - performance.now())

  return {
    start() {
      isStopped = false
      void refresh()
      let last = feed.link().state
      ends = [
        feed.subscribeEvents((event) => {
          if (mayChange(event, summary)) readSoon()
        }),
        feed.subscribe(() => {
          const { state } = feed.link()
          if (state !== last && (state === 'live' || state === 'caught-up')) readSoon()
          last = state
        }),
      ]
    },
    stop() {
      isStopped = true
      clearTimeout(timer)
      for (const end of ends) end()
    },
    summary: () => summary,
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    refresh: () => void refresh(),
  }
}

/** An attempt that waits, or a decision elsewhere: it starts or ends an attempt of a task that waited. */
function mayChange({ type, task }: LiveEvent, summary: ReviewSummary | undefined): boolean {
  if (type === 'OutcomeBecameUnknown' || task.status === 'OUTCOME_UNKNOWN') return true
  if (type !== 'AttemptStarted' && type !== 'AttemptEnded' && type !== 'TaskFinished') return false
  if (task.charged !== 'NO' && task.costMicros === null) return true
  return summary !== undefined && summary.outcomeUnknown + summary.costUnknown > 0
}
