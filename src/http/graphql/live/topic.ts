// Delivers a log to viewers that have all earlier entries. They form groups by what they select: per group
// and entry one execution, and the same bytes for every viewer.
import type { Clock } from '../../../clock.ts'
import type { Batch, Entry, Log } from '../../../engine/events/live-source.ts'
import { whenReady, type MaybePromise } from '../../../maybe-promise.ts'
import type { Frames } from './frames.ts'
import type { Sink } from './sink.ts'

/** Events within it after a delivery go together, buffered in the log. */
const COALESCE_MS = 10

/** In portions that bound memory, until `write` returns false. Without a promise if all values are there. */
export type Render = (
  entries: readonly Entry<unknown>[],
  write: (portion: Portion) => boolean,
) => MaybePromise<void>

export interface Portion {
  frames: Frames
  /** Of the last frame. */
  position: number
}

/** FULL: does not read fast enough. END: of the log. INTERRUPTED: the topic cannot continue. */
export type Departure = 'FULL' | 'END' | 'INTERRUPTED'

export interface Member {
  sink: Sink
  /** The viewer has all entries up to it. */
  position: number
  onLeave(departure: Departure): void
}

interface Group {
  render: Render
  position: number
  members: Set<Member>
}

export type Topic = ReturnType<typeof createTopic>

/** Starts at its first member's position. `onEmpty`: once, when the last member has left. */
export function createTopic(
  log: Log<unknown>,
  { start, clock, onEmpty }: { start: number; clock: Clock; onEmpty: () => void },
) {
  const groups = new Map<string, Group>()
  const stop = new AbortController()
  /** Of the latest read. */
  let position = start

  function remove(key: string, group: Group, member: Member): void {
    if (!group.members.delete(member) || group.members.size > 0) return
    groups.delete(key)
    if (groups.size === 0) close()
  }

  function close(): void {
    if (stop.signal.aborted) return
    stop.abort()
    onEmpty()
  }

  function releaseAll(departure: Departure): void {
    const members = [...groups.values()].flatMap((group) => [...group.members])
    // A group still being rendered must not write to them.
    for (const group of groups.values()) group.members.clear()
    groups.clear()
    close()
    for (const member of members) member.onLeave(departure)
  }

  async function deliver({ entries, position: end }: Batch<unknown>): Promise<void> {
    // New groups start after the batch.
    position = end
    const rendering: Promise<void>[] = []
    let haveRows = false
    const present = [...groups]
    for (const [key, group] of present) {
      const rendered = deliverTo(key, group, entries, end)
      if (!(rendered instanceof Promise)) continue
      // It loads the rows that the next groups need, too: those render without promises.
      if (!haveRows) await rendered
      rendering.push(rendered)
      // An error of another group may end the loop before.
      rendered.catch(() => {})
      haveRows = true
    }
    await Promise.all(rendering)
  }

  function deliverTo(
    key: string,
    group: Group,
    entries: readonly Entry<unknown>[],
    end: number,
  ): MaybePromise<void> {
    if (group.members.size === 0) return
    const rendered = group.render(entries, (portion) => {
      write(key, group, portion)
      return group.members.size > 0
    })
    return whenReady(rendered, () => {
      if (group.position < end) write(key, group, { position: end })
    })
  }

  /** Must not wait: viewers that join see one position of the group and its members. */
  function write(
    key: string,
    group: Group,
    { frames, position: end }: Partial<Portion> & { position: number },
  ): void {
    group.position = end
    for (const member of group.members) {
      const news = frames?.after(member.position)
      member.position = Math.max(member.position, end)
      if (news) member.sink.write(news)
      if (!member.sink.isFull()) continue
      remove(key, group, member)
      member.onLeave('FULL')
    }
  }

  async function run(): Promise<void> {
    const { signal } = stop
    const waiter = log.wait()
    try {
      while (!signal.aborted) {
        const batch = await log.read(position)
        if (batch.isLost) return releaseAll('INTERRUPTED')
        const isNew = batch.position > position
        if (isNew) await deliver(batch)
        if (batch.isEnd) return releaseAll('END')
        if (batch.hasMore) continue
        if (isNew) await clock.sleep(COALESCE_MS, signal)
        await waiter.next(signal)
      }
    } catch {
      // Each viewer reads the log itself, and meets the error.
      releaseAll('INTERRUPTED')
    } finally {
      waiter.close()
    }
  }

  return {
    run,
    /** A viewer with all entries up to it may join the group. */
    positionOf: (key: string) => groups.get(key)?.position ?? position,
    /** Returns a function that removes the member. */
    join(key: string, render: Render, member: Member): () => void {
      const group = groups.get(key) ?? { render, position, members: new Set() }
      groups.set(key, group)
      group.members.add(member)
      return () => remove(key, group, member)
    },
  }
}
