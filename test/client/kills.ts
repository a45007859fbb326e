// The client's program in front of a proxy that breaks connections at random moments, and a server that restarts.
import { createClient, type Darkroom } from '../../client/index.ts'
import { findGaps, readLogs } from '../scale/gaps.ts'
import { afterBytes, startFlakyProxy, type Cut } from '../scale/flaky-proxy.ts'
import { newFollower, type Follower } from '../scale/follow.ts'
import type { Place } from '../support/database.ts'
import { openGateway, type TestGateway } from '../support/gateway.ts'
import { createRandom, type Random } from '../support/random.ts'
import type { Transport } from '../support/client.ts'

export interface KillOptions {
  place: Place
  /** Minimum number of broken connections. */
  kills: number
  seed: number
  transport: Transport
}

export interface KillResult {
  kills: number
  restarts: number
  tasks: number
  /** Received by the programs and by the feed. */
  events: number
  /** One sentence each. */
  discrepancies: string[]
}

const PROGRAMS = 5
const INPUT = { prompt: 'a ferry', model: 'dall-e-2', size: '256x256', partialImages: 3 }
const PROVIDERS = [{ name: 'sandbox', dialect: 'sandbox', durationMs: 1200, concurrency: PROGRAMS }]
/** An event has about 4 KB. */
const MAX_CUT = { bytes: 20_000, ms: 400 }
const DRAIN_MS = 20_000

/** Two restarts, after a third and after two thirds of the kills. */
export async function killConnections({ place, kills, seed, transport }: KillOptions): Promise<KillResult> {
  const random = createRandom(seed)
  let gateway = await openGateway({ place, providers: PROVIDERS })
  let areCutsEnabled = true
  const proxy = await startFlakyProxy(
    () => gateway.url,
    () => (areCutsEnabled ? cutOf(random) : {}),
  )
  const darkroom = createClient({ url: proxy.url, transport: transport === 'SSE' ? 'sse' : 'websocket' })
  const followers: Follower[] = []

  const feedAt = await feedCursor(gateway)
  const feed = newFollower(transport, null, feedAt)
  followers.push(feed)
  let lastTask: string | undefined
  const following = followFeed(darkroom, feed, (id) => id === lastTask)

  let restarts = 0
  const work = async () => {
    while (proxy.breakCount() < kills) followers.push(await runProgram(darkroom, transport))
  }
  const restart = async () => {
    for (const share of [1 / 3, 2 / 3]) {
      while (proxy.breakCount() < kills * share) await new Promise((resolve) => setTimeout(resolve, 20))
      // As SIGTERM: connections are closed, running calls end, the next process starts.
      await gateway.gateway.stop({ deadlineMs: DRAIN_MS })
      gateway = await openGateway({ place, providers: PROVIDERS })
      restarts++
    }
  }
  await Promise.all([...Array.from({ length: PROGRAMS }, work), restart()])

  areCutsEnabled = false
  lastTask = await gateway.generate(INPUT)
  await following
  const created = followers.length
  darkroom.close()
  await gateway.gateway.stop()
  await proxy.close()
  const logs = await readLogs(place)
  return {
    kills: proxy.breakCount(),
    restarts,
    tasks: logs.tasks.size,
    events: followers.reduce((sum, { cursors }) => sum + cursors.length, 0),
    discrepancies: [
      ...logs.violated,
      ...(logs.tasks.size === created ? [] : [`${created} tasks were requested, ${logs.tasks.size} exist`]),
      ...followers.flatMap((follower) => findGaps(follower, logs)),
    ],
  }
}

async function runProgram(darkroom: Darkroom, transport: Transport): Promise<Follower> {
  const task = await darkroom.generate(INPUT)
  const follower = newFollower(transport, task.id, task.state.lastCursor)
  let snapshots = 0
  for await (const event of task) {
    if (event.type === 'TaskSnapshot') snapshots++
    else follower.cursors.push(event.cursor)
  }
  const images = await task.images()
  if (images.length !== 1) follower.problems.push(`the task has ${images.length} images`)
  if (snapshots !== 1) follower.problems.push(`${snapshots} snapshots instead of one`)
  return follower
}

async function followFeed(
  darkroom: Darkroom,
  follower: Follower,
  isLast: (taskId: string) => boolean,
): Promise<void> {
  for await (const event of darkroom.feed({ after: follower.after })) {
    if (event.type === 'TaskSnapshot') follower.problems.push('a snapshot after a cursor')
    else follower.cursors.push(event.cursor)
    if (event.type === 'TaskFinished' && isLast(event.task.id)) return
  }
}

async function feedCursor(gateway: TestGateway): Promise<string> {
  const { tasks } = await gateway.get<{ tasks: { feedCursor: string } }>('{ tasks { feedCursor } }')
  return tasks.feedCursor
}

function cutOf(random: Random): Cut {
  const reset = random.next() < 0.5
  return random.next() < 0.5
    ? { within: afterBytes(Math.floor(random.between(0, MAX_CUT.bytes))), reset }
    : { afterMs: random.between(0, MAX_CUT.ms), reset }
}
