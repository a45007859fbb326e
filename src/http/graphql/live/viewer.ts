// A viewer reads the log itself until it has all entries of its group, and then joins. It leaves when its
// connection is full, and reads again when that has drained.
import type { Batch, Entry, LiveSource } from '../../../engine/events/live-source.ts'
import { whenReady, type MaybePromise } from '../../../maybe-promise.ts'
import { createFrames, type Frame } from './frames.ts'
import type { Sink } from './sink.ts'
import type { Departure, Member, Portion, Topic } from './topic.ts'

export interface Subscription {
  source: LiveSource<unknown>
  /** With the same log, viewers get the same frames. */
  key: string
  /** Without a promise if all values are there. */
  execute: (entries: readonly Entry<unknown>[]) => MaybePromise<Frame[]>
}

/** The topic of the log, if a viewer with this position may join its group. */
export type FindTopic = (subscription: Subscription, reached: Reached) => Topic | undefined

interface Reached {
  position: number
  isCaughtUp: boolean
  isEnd: boolean
}

/** Of entries executed at once: bounds memory, as a result may hold an image. */
const SLICE = 10
/** Of frames that a group writes together. */
const MAX_PORTION_BYTES = 1_000_000

/** Resolves at the end of the log, after all frames were written. Rejects when reading fails. */
export async function follow(
  subscription: Subscription,
  { sink, findTopic, signal }: { sink: Sink; findTopic: FindTopic; signal: AbortSignal },
): Promise<void> {
  const { source, key, execute } = subscription
  let reached = await sendSnapshot(await source.start())
  while (!signal.aborted && !reached.isEnd) {
    if (sink.isFull()) await sink.drained(signal)
    else {
      const topic = findTopic(subscription, reached)
      reached = topic ? await stayIn(topic, reached.position) : await readOn(reached.position)
    }
  }

  async function sendSnapshot(batch: Batch<unknown>): Promise<Reached> {
    for (const slice of slicesOf(batch.entries)) {
      await send(slice)
      if (sink.isFull()) await sink.drained(signal)
    }
    return endOf(batch)
  }

  async function readOn(position: number): Promise<Reached> {
    const batch = await source.log.read(position)
    if (batch.isLost) return sendSnapshot(await source.resync())
    for (const slice of slicesOf(await source.select(batch.entries))) {
      await send(slice)
      // Read again later, so that a full viewer holds no entries.
      if (sink.isFull()) return { position: slice.at(-1)!.position, isCaughtUp: false, isEnd: false }
    }
    return endOf(batch)
  }

  async function send(entries: readonly Entry<unknown>[]): Promise<void> {
    const frames = signal.aborted ? [] : await execute(entries)
    if (!signal.aborted) sink.write(createFrames(frames))
  }

  async function stayIn(topic: Topic, position: number): Promise<Reached> {
    const left = Promise.withResolvers<Departure | 'ABORTED'>()
    const member: Member = { sink, position, onLeave: left.resolve }
    const leave = topic.join(key, (entries, write) => render(subscription, entries, write), member)
    const onAbort = () => {
      leave()
      left.resolve('ABORTED')
    }
    signal.addEventListener('abort', onAbort)
    const departure = await left.promise
    signal.removeEventListener('abort', onAbort)
    return { position: member.position, isCaughtUp: false, isEnd: departure === 'END' }
  }
}

function render(
  { source, execute }: Subscription,
  entries: readonly Entry<unknown>[],
  write: (portion: Portion) => boolean,
): MaybePromise<void> {
  return whenReady(source.select(entries), (selected) => {
    if (selected.length > SLICE) return renderSlices(execute, selected, write)
    return whenReady(execute(selected), (frames) => writePortion(frames, write))
  })
}

async function renderSlices(
  execute: Subscription['execute'],
  entries: readonly Entry<unknown>[],
  write: (portion: Portion) => boolean,
): Promise<void> {
  let frames: Frame[] = []
  let bytes = 0
  for (const slice of slicesOf(entries)) {
    for (const frame of await execute(slice)) {
      frames.push(frame)
      bytes += frame.payload.length
    }
    if (bytes < MAX_PORTION_BYTES) continue
    if (!write({ frames: createFrames(frames), position: slice.at(-1)!.position })) return
    frames = []
    bytes = 0
  }
  writePortion(frames, write)
}

function writePortion(frames: Frame[], write: (portion: Portion) => boolean): void {
  const last = frames.at(-1)
  if (last) write({ frames: createFrames(frames), position: last.position })
}

function slicesOf<Item>(items: readonly Item[]): (readonly Item[])[] {
  const slices = []
  for (let i = 0; i < items.length; i += SLICE) slices.push(items.slice(i, i + SLICE))
  return slices
}

function endOf({ position, hasMore, isEnd }: Batch<unknown>): Reached {
  return { position, isCaughtUp: !hasMore, isEnd }
}
