// What a subscription reads: a log, from any position. Readers of the same log share its reads.
import { abortable } from '../../async-iterators.ts'
import type { MaybePromise } from '../../maybe-promise.ts'

/** Grows from entry to entry, but two entries of a snapshot have the same one. */
export interface Entry<Item> {
  position: number
  item: Item
}

export interface Batch<Item> {
  entries: readonly Entry<Item>[]
  /** The next read starts after it. */
  position: number
  /** More entries may be there already. */
  hasMore: boolean
  /** Nothing will follow. */
  isEnd: boolean
  /** Entries after the position were removed: the reader continues with `LiveSource.resync`. */
  isLost: boolean
}

export interface Log<Item> {
  /** Logs with the same key have the same entries. */
  key: string
  /** The entries after a position, oldest first. */
  read(position: number): Promise<Batch<Item>>
  /** Before the first read, so that no wake-up is missed. */
  wait(): LogWaiter
}

export interface LogWaiter {
  /** Resolves when a read may return entries, or on abort. Never rejects. */
  next(signal: AbortSignal): Promise<void>
  close(): void
}

/** A subscriber's part of a log. As an iterator, it delivers to this subscriber alone. */
export interface LiveSource<Item> extends AsyncIterableIterator<Item, void> {
  readonly log: Log<Item>
  /** The first snapshot, and the position from which to continue. */
  start(): Promise<Batch<Item>>
  resync(): Promise<Batch<Item>>
  /** Without a promise where nothing is read. */
  select(entries: readonly Entry<Item>[]): MaybePromise<readonly Entry<Item>[]>
}

type Parts<Item> = Pick<LiveSource<Item>, 'log' | 'start' | 'resync' | 'select'>

export function createLiveSource<Item>({
  log,
  start,
  resync = start,
  select = (entries) => entries,
}: Pick<Parts<Item>, 'log' | 'start'> & Partial<Parts<Item>>): LiveSource<Item> {
  const parts = { log, start, resync, select }
  return Object.assign(iterate(parts), parts)
}

export function isLiveSource(value: object): value is LiveSource<unknown> {
  return 'log' in value && 'start' in value
}

function iterate<Item>({ log, start, resync, select }: Parts<Item>): AsyncIterableIterator<Item, void> {
  return abortable(async function* watch(signal) {
    const waiter = log.wait()
    try {
      let batch = await start()
      while (!signal.aborted) {
        for (const { item } of await select(batch.entries)) yield item
        if (batch.isEnd) return
        const { position } = batch
        if (!batch.hasMore) await waiter.next(signal)
        batch = await log.read(position)
        if (batch.isLost) batch = await resync()
      }
    } finally {
      waiter.close()
    }
  })
}
