// A log in memory, and viewers of it whose connections the test controls.
import { setImmediate as nextTurn } from 'node:timers/promises'
import { systemClock, type Clock } from '../../src/clock.ts'
import {
  createLiveSource,
  type Batch,
  type Entry,
  type LiveSource,
} from '../../src/engine/events/live-source.ts'
import type { Frames } from '../../src/http/graphql/live/frames.ts'
import type { Sink } from '../../src/http/graphql/live/sink.ts'
import type { Subscription } from '../../src/http/graphql/live/viewer.ts'

const BATCH = 10

/** Without waiting times, so that a test runs through many interleavings. */
export const quickClock: Clock = { ...systemClock, sleep: () => nextTurn() }

/** Entries have the positions from 1. A negative item is a snapshot. */
export interface MemoryLog {
  append(count: number): void
  /** The log forgets the entries up to this position. */
  remove(position: number): void
  readonly last: number
  readonly reads: number
  source(after: number, isSelected?: (item: number) => boolean): LiveSource<unknown>
}

export function createMemoryLog(turns: () => number): MemoryLog {
  let last = 0
  let removed = 0
  let reads = 0
  const wakers = new Set<() => void>()

  async function read(position: number) {
    reads++
    for (let i = turns(); i > 0; i--) await nextTurn()
    if (position < removed) return { entries: [], position, hasMore: false, isEnd: false, isLost: true }
    const entries = Array.from({ length: Math.min(BATCH, last - position) }, (_, i): Entry<unknown> => {
      return { position: position + 1 + i, item: position + 1 + i }
    })
    const hasMore = entries.length === BATCH
    return { entries, position: position + entries.length, hasMore, isEnd: false, isLost: false }
  }

  function wait() {
    let woken = Promise.withResolvers<void>()
    const wake = () => woken.resolve()
    wakers.add(wake)
    return {
      async next(signal: AbortSignal) {
        const onAbort = () => woken.resolve()
        signal.addEventListener('abort', onAbort)
        if (!signal.aborted) await woken.promise
        signal.removeEventListener('abort', onAbort)
        woken = Promise.withResolvers<void>()
      },
      close: () => void wakers.delete(wake),
    }
  }

  return {
    append(count) {
      last += count
      for (const wake of wakers) wake()
    },
    remove: (position) => (removed = position),
    get last() {
      return last
    },
    get reads() {
      return reads
    },
    source(after, isSelected = () => true) {
      return createLiveSource<unknown>({
        log: { key: 'memory', read, wait },
        start: async () => snapshotAt(after),
        resync: async () => snapshotAt(last),
        select: async (entries) => entries.filter(({ item }) => isSelected(Number(item))),
      })
    },
  }
}

function snapshotAt(position: number): Batch<unknown> {
  const entries = [{ position, item: -position }]
  return { entries, position, hasMore: true, isEnd: false, isLost: false }
}

/** Its results are the items, as numbers. */
export function subscriptionTo(
  source: LiveSource<unknown>,
  key: string,
  onExecute: (item: number) => Promise<void> = async () => {},
): Subscription {
  return {
    source,
    key,
    execute: (entries) =>
      Promise.all(
        entries.map(async ({ position, item }) => {
          await onExecute(Number(item))
          return { position, payload: Buffer.from(String(item)) }
        }),
      ),
  }
}

/** A connection with a buffer of `capacity` results. Nothing is sent before `send`. */
export class Connection implements Sink {
  readonly received: number[] = []
  readonly #capacity: number
  #unsent: number[] = []
  #onDrain = new Set<() => void>()

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  get unsent(): number {
    return this.#unsent.length
  }

  write(frames: Frames): void {
    this.#unsent.push(
      ...frames.messages('1').map((message) => Number(/:(-?\d+)\}$/.exec(String(message))?.[1])),
    )
  }

  isFull(): boolean {
    return this.#unsent.length > this.#capacity
  }

  async drained(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return
    const drained = Promise.withResolvers<void>()
    this.#onDrain.add(drained.resolve)
    signal.addEventListener('abort', () => drained.resolve(), { once: true })
    await drained.promise
  }

  send(): void {
    this.received.push(...this.#unsent)
    this.#unsent = []
    for (const resolve of this.#onDrain) resolve()
    this.#onDrain.clear()
  }
}
