import { setImmediate as nextTurn } from 'node:timers/promises'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createTopics } from '../../src/http/graphql/live/topics.ts'
import { follow } from '../../src/http/graphql/live/viewer.ts'
import { createRandom } from '../support/random.ts'
import { Connection, createMemoryLog, quickClock, subscriptionTo, type MemoryLog } from './memory-log.ts'

const ENTRIES = 250
const VIEWERS = 12

/** The selections of three documents. */
const SELECTIONS: ((item: number) => boolean)[] = [
  () => true,
  (item) => item % 2 === 0,
  (item) => item % 7 === 3,
]

const range = (after: number, last: number) => Array.from({ length: last - after }, (_, i) => after + 1 + i)

async function until(isReached: () => boolean): Promise<void> {
  for (let turn = 0; !isReached(); turn++) {
    if (turn > 100_000) throw new Error('It was not reached.')
    await nextTurn()
  }
}

/** Items without snapshots. */
const itemsOf = ({ received }: Connection) => received.filter((item) => item > 0)

/** Starts a viewer at the end of the log. */
function watch(memory: MemoryLog, findTopic: ReturnType<typeof createTopics>, capacity: number) {
  const connection = new Connection(capacity)
  const ended = new AbortController()
  const following = follow(subscriptionTo(memory.source(memory.last), 'all'), {
    sink: connection,
    findTopic,
    signal: ended.signal,
  })
  const stop = async () => {
    ended.abort()
    await following
  }
  return { connection, stop }
}

describe('viewers of a log', () => {
  it('receive every entry once and in order while they join, leave, resume and stall at random', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer(), async (seed) => {
        const random = createRandom(seed)
        const turns = () => Math.floor(random.between(0, 4))
        const memory = createMemoryLog(turns)
        const findTopic = createTopics(quickClock)
        memory.append(30)

        async function view(index: number): Promise<void> {
          const selection = index % SELECTIONS.length
          const isSelected = SELECTIONS[selection]!
          const after = Math.floor(random.between(0, memory.last))
          const items: number[] = []
          const started: { at: number; snapshot: number }[] = []
          let position = after
          while (position < ENTRIES) {
            const connection = new Connection(Math.floor(random.between(0, 6)))
            const ended = new AbortController()
            const source = memory.source(position, isSelected)
            const following = follow(
              subscriptionTo(source, String(selection), async () => {
                for (let i = turns(); i > 0; i--) await nextTurn()
              }),
              { sink: connection, findTopic, signal: ended.signal },
            )
            for (let turn = random.between(0, 300); turn > 0; turn--) {
              await nextTurn()
              if (random.next() < 0.5) connection.send()
              if (connection.received.at(-1) === ENTRIES) break
            }
            ended.abort()
            await following
            const [snapshot, ...received] = connection.received
            started.push({ at: position, snapshot: Math.abs(snapshot ?? position) })
            items.push(...received)
            position = received.at(-1) ?? position
            // Its last selected entry is before the end of the log.
            if (memory.last === ENTRIES && range(position, ENTRIES).filter(isSelected).length === 0) break
          }
          expect(items).toEqual(range(after, ENTRIES).filter(isSelected))
          for (const { at, snapshot } of started) expect(snapshot).toBe(at)
        }

        const viewing = Array.from({ length: VIEWERS }, (_, i) => view(i))
        while (memory.last < ENTRIES) {
          memory.append(Math.min(ENTRIES - memory.last, Math.floor(random.between(1, 25))))
          for (let i = turns(); i > 0; i--) await nextTurn()
        }
        await Promise.all(viewing)
      }),
      { numRuns: 100 },
    )
  })

  it('share one read and one execution per entry', async () => {
    const memory = createMemoryLog(() => 0)
    const findTopic = createTopics(quickClock)
    const executed: number[] = []
    const ended = new AbortController()
    const connections = Array.from({ length: 20 }, () => new Connection(Infinity))
    const following = connections.map((sink) =>
      follow(
        subscriptionTo(memory.source(0), 'all', async (item) => {
          if (item > 0) executed.push(item)
        }),
        { sink, findTopic, signal: ended.signal },
      ),
    )
    for (let i = 0; i < 50; i++) await nextTurn()
    const before = memory.reads
    for (let i = 0; i < 5; i++) {
      memory.append(1)
      for (let turn = 0; turn < 20; turn++) await nextTurn()
    }
    ended.abort()
    await Promise.all(following)
    for (const connection of connections) {
      connection.send()
      expect(itemsOf(connection)).toEqual([1, 2, 3, 4, 5])
    }
    expect(executed).toEqual([1, 2, 3, 4, 5])
    expect(memory.reads - before).toBeLessThanOrEqual(10)
  })

  it('get a new snapshot when entries were removed before they could be read', async () => {
    const memory = createMemoryLog(() => 0)
    const findTopic = createTopics(quickClock)
    const { connection, stop } = watch(memory, findTopic, 2)
    await nextTurn()
    memory.append(40)
    await until(() => connection.isFull())
    memory.append(10)
    memory.remove(50)
    connection.send()
    await until(() => {
      connection.send()
      return connection.received.includes(-50)
    })
    memory.append(2)
    await until(() => {
      connection.send()
      return connection.received.includes(52)
    })
    await stop()
    expect(connection.received.slice(-3)).toEqual([-50, 51, 52])
  })
})

describe('a viewer that does not read', () => {
  it('delays no other viewer, holds a bounded number of entries, and receives all of them later', async () => {
    const memory = createMemoryLog(() => 0)
    const findTopic = createTopics(quickClock)
    const stalled = watch(memory, findTopic, 5)
    const others = Array.from({ length: 10 }, () => watch(memory, findTopic, 50))
    for (let i = 0; i < 50; i++) await nextTurn()
    while (memory.last < 10_000) {
      memory.append(10)
      const { last } = memory
      // The others receive each entry although the stalled viewer has sent nothing since the start.
      await until(() => {
        for (const { connection } of others) connection.send()
        return others.every(({ connection }) => connection.received.at(-1) === last)
      })
    }
    expect(stalled.connection.received).toEqual([])
    // What it may hold, and the portion that made it full.
    expect(stalled.connection.unsent).toBeLessThanOrEqual(5 + 10 + 1)
    await until(() => {
      stalled.connection.send()
      return stalled.connection.received.at(-1) === 10_000
    })
    await Promise.all([stalled, ...others].map((one) => one.stop()))
    for (const { connection } of [stalled, ...others]) expect(itemsOf(connection)).toEqual(range(0, 10_000))
  })
})
