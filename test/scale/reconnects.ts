// Viewers of tasks and of the whole feed, over both transports, whose connections break at random moments.
import { setTimeout as pause } from 'node:timers/promises'
import { createClient, TRANSPORTS, type Client } from '../support/client.ts'
import type { Place } from '../support/database.ts'
import { startGateway } from '../support/gateway-process.ts'
import { createRandom, type Random } from '../support/random.ts'
import { follow, newFollower, type Follower } from './follow.ts'
import { findGaps, readLogs } from './gaps.ts'
import { afterBytes, startLine, type Cut } from './line.ts'

export interface Journey {
  place: Place
  /** How many gateways; a viewer comes back to any of them. SQLite bears one. */
  processes: number
  /** How often viewers come back, at least. */
  count: number
  seed: number
}

export interface Arrival {
  /** How often a viewer came back, by what it watched and how. */
  resumed: Record<string, number>
  tasks: number
  /** How many events the log holds. */
  events: number
  /** How many events viewers were told, altogether. */
  told: number
  /** What should not be, in sentences. */
  discrepancies: string[]
}

/** How many tasks run at a time, each with a viewer over each transport. */
const TASKS = 5
/** How many watch the whole feed over each transport. */
const FEEDS = 4
/** 20 steps of progress and three previews, small and so soon painted. */
const INPUT = { prompt: 'a ferry', model: 'dall-e-2', size: '256x256', partialImages: 3 }
const TASK_MS = 1500
/** A connection that is not cut before it ends by itself was lucky. */
const MOST = { bytes: 4000, ms: 300 }
/** For the last viewer to arrive once nothing is cut any more. */
const PATIENCE_MS = 60_000
/** For all of it: far more than it takes, so that what hangs is seen. */
const LONGEST_MS = 3_600_000

export async function reconnect({ place, processes, count, seed }: Journey): Promise<Arrival> {
  const random = createRandom(seed)
  const providers = [{ name: 'sandbox', dialect: 'sandbox', durationMs: TASK_MS, concurrency: TASKS }]
  const gateways = await Promise.all(
    Array.from({ length: processes }, () => startGateway(place, { providers })),
  )
  const anyUrl = () => random.pick(gateways).url
  let calm = false
  const line = await startLine(anyUrl, () => (calm ? {} : cutOf(random)))
  const viewer = createClient(line.url)
  const [asker] = gateways
  if (!asker) throw new Error('A journey needs at least one gateway.')

  const followers: Follower[] = []
  const resumed = () => followers.reduce((sum, one) => sum + one.resumed, 0)
  const { tasks } = await asker.get<{ tasks: { feedCursor: string } }>('{ tasks { feedCursor } }')
  const deadline = performance.now() + LONGEST_MS
  let last: string | undefined
  const feeds = TRANSPORTS.flatMap((transport) => Array.from({ length: FEEDS }, () => transport)).map(
    (transport) => {
      const follower = newFollower(transport, null, tasks.feedCursor)
      followers.push(follower)
      return follow(
        viewer,
        follower,
        ({ kind, task }) => kind === 'TaskFinished' && task.id === last,
        deadline,
      )
    },
  )
  const broken = () => followers.some(({ complaints }) => complaints.length > 0)
  async function askAgainAndAgain(): Promise<void> {
    while (resumed() < count && !broken()) await watchOne(asker!, viewer, followers, deadline)
  }
  await Promise.all(Array.from({ length: TASKS }, askAgainAndAgain))

  // A last task, whose end every viewer of the feed waits for.
  calm = true
  last = await asker.generate(INPUT)
  await Promise.race([Promise.all(feeds), pause(PATIENCE_MS, undefined, { ref: false })])
  await Promise.all(gateways.map((gateway) => gateway[Symbol.asyncDispose]()))
  await line.close()
  const logs = await readLogs(place)
  return {
    resumed: countBy(followers),
    tasks: logs.tasks.size,
    events: logs.feed.length,
    told: followers.reduce((sum, { cursors }) => sum + cursors.length, 0),
    discrepancies: [...logs.violated, ...followers.flatMap((follower) => findGaps(follower, logs))],
  }
}

/** Asks for an image and has it watched to its end over both transports. */
async function watchOne(
  asker: Client,
  viewer: Client,
  followers: Follower[],
  deadline: number,
): Promise<void> {
  const { generateImage: task } = await asker.get<{ generateImage: { id: string; lastCursor: string } }>(
    'mutation ($input: GenerateImageInput!) { generateImage(input: $input) { id lastCursor } }',
    { input: INPUT },
  )
  await Promise.all(
    TRANSPORTS.map((transport) => {
      const follower = newFollower(transport, task.id, task.lastCursor)
      followers.push(follower)
      return follow(viewer, follower, ({ kind }) => kind === 'TaskFinished', deadline)
    }),
  )
}

function cutOf(random: Random): Cut {
  const reset = random.next() < 0.5
  return random.next() < 0.5
    ? { within: afterBytes(Math.floor(random.between(0, MOST.bytes))), reset }
    : { afterMs: random.between(0, MOST.ms), reset }
}

function countBy(followers: Follower[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { transport, taskId, resumed } of followers) {
    const name = `${taskId === null ? 'taskFeed' : 'taskEvents'} over ${transport}`
    counts[name] = (counts[name] ?? 0) + resumed
  }
  return counts
}
