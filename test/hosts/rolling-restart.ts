// Hosts are restarted one after another while clients request images and watch them.
import { setTimeout as pause } from 'node:timers/promises'
import { startJimmyUpstream } from '../providers/upstreams/jimmy.ts'
import { CONFIGURED_PRICES } from '../providers/upstreams/tariff.ts'
import { follow, newFollower, type Follower } from '../scale/follow.ts'
import { findGaps, readLogs } from '../scale/gaps.ts'
import { TRANSPORTS } from '../support/client.ts'
import type { Place } from '../support/database.ts'
import { createBalancer, type Balancer } from './balancer.ts'
import { openHosts, type Host } from './hosts.ts'

export interface RollingRestartOptions {
  place: Place
  assetsUrl: string
  hosts: number
  tasksPerSecond: number
  /** Before the first restart, to compare with, and after the last one. */
  calmMs: number
  /** How often each host is restarted. */
  rounds: number
  viewers: number
}

export interface RollingRestartResult {
  tasks: number
  restarts: number
  /** Requests without a task after all repetitions. */
  failed: number
  repeated: number
  /** Tasks by status. */
  ends: Record<string, number>
  /** Missed and repeated events, and violated invariants, in sentences. */
  problems: string[]
  /** Of mutations with their repetitions. */
  p99Ms: { calm: number; restarting: number }
  charges: number
}

const GENERATE = `mutation ($input: GenerateImageInput!) {
  generateImage(input: $input) { task { id } }
}`
const MAX_WAIT_MS = 120_000

export async function restartInTurn(options: RollingRestartOptions): Promise<RollingRestartResult> {
  const { place, assetsUrl, tasksPerSecond, calmMs, rounds } = options
  const upstream = await startJimmyUpstream({ apiKey: 'key' })
  const providers = [
    { name: 'sync', dialect: 'sandbox', durationMs: 500, concurrency: 64 },
    {
      name: 'poll',
      dialect: 'jimmy',
      mode: 'async',
      baseUrl: upstream.url,
      apiKey: 'key',
      models: [{ name: 'gpt-image-2', price: CONFIGURED_PRICES.jimmy }],
      pollMs: 200,
    },
  ]
  const engine = { shutdownDelayMs: 1000, drainTimeoutMs: 30_000, pollMs: 200 }
  const hosts = await openHosts({
    place,
    assetsUrl,
    count: options.hosts,
    options: () => ({ providers, engine }),
  })
  const balancer = createBalancer(hosts.map(({ url }) => url))
  for (const host of hosts) await untilReady(balancer, host)

  const { tasks } = await balancer.client.get<{ tasks: { feedCursor: string } }>('{ tasks { feedCursor } }')
  /** When the last task is about to begin: all others. */
  let known: Set<string> | undefined
  const until = performance.now() + MAX_WAIT_MS + 2 * calmMs + rounds * hosts.length * 30_000
  const followers = Array.from({ length: options.viewers }, (_, nth) =>
    newFollower(TRANSPORTS[nth % TRANSPORTS.length]!, null, tasks.feedCursor),
  )
  const watching = followers.map((follower) =>
    follow(
      balancer.client,
      follower,
      ({ kind, task }) => kind === 'TaskFinished' && known?.has(task.id) === false,
      until,
    ),
  )

  const latencies = { calm: [] as number[], restarting: [] as number[] }
  let phase: keyof typeof latencies = 'calm'
  const over = new AbortController()
  let failed = 0
  const requests: Promise<string | undefined>[] = []
  const request = async (nth: number, during: keyof typeof latencies) => {
    const startedAt = performance.now()
    const model = nth % 2 === 0 ? { model: 'dall-e-2', size: '256x256' } : { providers: ['poll'] }
    const input = { prompt: `image ${nth}`, idempotencyKey: `image-${nth}`, ...model }
    const id = await generate(balancer, input)
    latencies[during].push(performance.now() - startedAt)
    if (id === undefined) failed++
    return id
  }
  const requesting = (async () => {
    const startedAt = performance.now()
    for (let nth = 0; !over.signal.aborted; nth++) {
      await pause(Math.max(0, startedAt + (nth * 1000) / tasksPerSecond - performance.now()))
      requests.push(request(nth, phase))
    }
  })()
  await pause(calmMs)
  phase = 'restarting'
  for (let round = 0; round < rounds; round++) for (const host of hosts) await restart(balancer, host)
  phase = 'calm'
  await pause(calmMs)
  over.abort()
  await requesting
  const ids = (await Promise.all(requests)).filter((id) => id !== undefined)
  const ends = await untilEnded(balancer, ids)
  known = new Set(ids)
  await generate(balancer, { prompt: 'the last one', model: 'dall-e-2', size: '256x256' })
  await Promise.race([Promise.all(watching), pause(MAX_WAIT_MS)])
  await balancer.close()
  await Promise.all(hosts.map((host) => host.close()))
  await upstream.close()
  const logs = await readLogs({ ...place, assetsUrl })
  return {
    tasks: ids.length,
    restarts: rounds * hosts.length,
    failed,
    repeated: balancer.repeated(),
    ends,
    problems: [...logs.violated, ...followers.flatMap((follower: Follower) => findGaps(follower, logs))],
    p99Ms: { calm: p99Of(latencies.calm), restarting: p99Of(latencies.restarting) },
    charges: upstream.ledger.length,
  }
}

async function generate(balancer: Balancer, input: Record<string, unknown>): Promise<string | undefined> {
  interface Created {
    generateImage: { task: { id: string } }
  }
  return (await balancer.execute<Created>(GENERATE, { input }))?.generateImage.task.id
}

async function restart(balancer: Balancer, host: Host): Promise<void> {
  await host.stop()
  await host.start()
  await untilReady(balancer, host)
}

async function untilReady(balancer: Balancer, { url }: Host): Promise<void> {
  while (!balancer.isReady(url)) await pause(50)
}

async function untilEnded(balancer: Balancer, ids: readonly string[]): Promise<Record<string, number>> {
  const until = performance.now() + MAX_WAIT_MS
  const statuses = new Map<string, string>()
  for (;;) {
    const open = ids.filter((id) => ['QUEUED', 'RUNNING', undefined].includes(statuses.get(id)))
    if (open.length === 0 || performance.now() > until) break
    for (let at = 0; at < open.length; at += 100) {
      const data = await balancer.execute<{ nodes: { id: string; status: string }[] }>(
        'query ($ids: [ID!]!) { nodes(ids: $ids) { id ... on Task { status } } }',
        { ids: open.slice(at, at + 100) },
      )
      for (const { id, status } of data?.nodes ?? []) statuses.set(id, status)
    }
    await pause(200)
  }
  const ends: Record<string, number> = {}
  for (const status of statuses.values()) ends[status] = (ends[status] ?? 0) + 1
  return ends
}

function p99Of(values: readonly number[]): number {
  return Math.round(values.toSorted((a, b) => a - b)[Math.floor(values.length * 0.99)] ?? 0)
}
