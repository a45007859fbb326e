// Viewers of tasks and of the feed, over both transports, whose connections break at random moments.
import { setTimeout as pause } from 'node:timers/promises'
import { createClient, TRANSPORTS, type Client } from '../support/client.ts'
import type { Place } from '../support/database.ts'
import { startGateway } from '../support/gateway-process.ts'
import { createRandom, type Random } from '../support/random.ts'
import { follow, newFollower, type Follower } from './follow.ts'
import { findGaps, readLogs } from './gaps.ts'
import { afterBytes, startFlakyProxy, type Cut } from './flaky-proxy.ts'

export interface ReconnectOptions {
  place: Place
  /** Number of gateways, 1 for SQLite. A viewer resumes at any of them. */
  processes: number
  /** Minimum number of resumptions. */
  count: number
  seed: number
  /** Viewers of the feed, and of each task, over each transport. */
  feedViewers?: number
  taskViewers?: number
}

export interface ReconnectResult {
  /** Resumptions by subscription and transport. */
  resumed: Record<string, number>
  tasks: number
  events: number
  /** By all viewers. */
  received: number
  /** One sentence each. */
  discrepancies: string[]
}

/** Concurrent tasks. */
const TASKS = 5
/** 20 steps of progress and three partial images, small and therefore fast. */
const INPUT = { prompt: 'a ferry', model: 'dall-e-2', size: '256x256', partialImages: 3 }
const TASK_MS = 1500
/** A connection may end before its cut. */
const MAX_CUT = { bytes: 4000, ms: 300 }
/** For the last viewer, once connections hold. */
const FINISH_MS = 60_000
/** Far more than needed, to detect a hang. */
const MAX_RUN_MS = 3_600_000

export async function reconnect({
  place,
  processes,
  count,
  seed,
  feedViewers = 4,
  taskViewers = 1,
}: ReconnectOptions): Promise<ReconnectResult> {
  const random = createRandom(seed)
  const providers = [{ name: 'sandbox', dialect: 'sandbox', durationMs: TASK_MS, concurrency: TASKS }]
  const gateways = await Promise.all(
    Array.from({ length: processes }, () => startGateway(place, { providers })),
  )
  const anyUrl = () => random.pick(gateways).url
  let areCutsEnabled = true
  const proxy = await startFlakyProxy(anyUrl, () => (areCutsEnabled ? cutOf(random) : {}))
  const viewer = createClient(proxy.url)
  const [gateway] = gateways
  if (!gateway) throw new Error('At least one gateway is needed.')

  const followers: Follower[] = []
  const resumed = () => followers.reduce((sum, one) => sum + one.resumed, 0)
  const { tasks } = await gateway.get<{ tasks: { feedCursor: string } }>('{ tasks { feedCursor } }')
  const deadline = performance.now() + MAX_RUN_MS
  let last: string | undefined
  const feeds = TRANSPORTS.flatMap((transport) => Array.from({ length: feedViewers }, () => transport)).map(
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
  const hasProblems = () => followers.some(({ problems }) => problems.length > 0)
  async function watchTasks(): Promise<void> {
    while (resumed() < count && !hasProblems())
      await watchOne(gateway!, viewer, taskViewers, followers, deadline)
  }
  await Promise.all(Array.from({ length: TASKS }, watchTasks))

  // Every viewer of the feed waits for the end of this last task.
  areCutsEnabled = false
  last = await gateway.generate(INPUT)
  await Promise.race([Promise.all(feeds), pause(FINISH_MS, undefined, { ref: false })])
  await Promise.all(gateways.map((one) => one[Symbol.asyncDispose]()))
  await proxy.close()
  const logs = await readLogs(place)
  return {
    resumed: countBy(followers),
    tasks: logs.tasks.size,
    events: logs.feed.length,
    received: followers.reduce((sum, { cursors }) => sum + cursors.length, 0),
    discrepancies: [...logs.violated, ...followers.flatMap((follower) => findGaps(follower, logs))],
  }
}

/** Creates a task and watches it to its end over both transports. */
async function watchOne(
  gateway: Client,
  viewer: Client,
  viewers: number,
  followers: Follower[],
  deadline: number,
): Promise<void> {
  const task = await create(gateway, deadline)
  await Promise.all(
    Array.from({ length: viewers }, () => TRANSPORTS)
      .flat()
      .map((transport) => {
        const follower = newFollower(transport, task.id, task.lastCursor)
        followers.push(follower)
        return follow(viewer, follower, ({ kind }) => kind === 'TaskFinished', deadline)
      }),
  )
}

/** Retries as the server asks for: a busy machine may keep the database from answering in time. */
async function create(gateway: Client, until: number): Promise<{ id: string; lastCursor: string }> {
  for (;;) {
    const { data, errors } = await gateway.execute<{
      generateImage: { task: { id: string; lastCursor: string } } | null
    }>('mutation ($input: GenerateImageInput!) { generateImage(input: $input) { task { id lastCursor } } }', {
      input: INPUT,
    })
    if (data?.generateImage) return data.generateImage.task
    const retryAfter = errors?.[0]?.extensions?.['retryAfter']
    if (typeof retryAfter !== 'number' || performance.now() > until) throw new Error(JSON.stringify(errors))
    await pause(retryAfter * 1000)
  }
}

function cutOf(random: Random): Cut {
  const reset = random.next() < 0.5
  return random.next() < 0.5
    ? { within: afterBytes(Math.floor(random.between(0, MAX_CUT.bytes))), reset }
    : { afterMs: random.between(0, MAX_CUT.ms), reset }
}

function countBy(followers: Follower[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { transport, taskId, resumed } of followers) {
    const name = `${taskId === null ? 'taskFeed' : 'taskEvents'} over ${transport}`
    counts[name] = (counts[name] ?? 0) + resumed
  }
  return counts
}
