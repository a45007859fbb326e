// A storm over hosts that share nothing but PostgreSQL and a bucket. Both are killed in turn with the gateways, while clients
// watch the feed.
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { watchingAt } from '../hosts/balancer.ts'
import { follow, newFollower } from '../scale/follow.ts'
import { findGaps, readLogs } from '../scale/gaps.ts'
import { createClient, TRANSPORTS, type Client } from '../support/client.ts'
import type { Place } from '../support/database.ts'
import { freePort } from '../support/free-port.ts'
import { startGateway } from '../support/gateway-process.ts'
import type { PostgresqlServer } from '../support/postgresql-server.ts'
import { createRandom } from '../support/random.ts'
import { S3_CREDENTIALS } from '../support/s3-server.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'
import { TUNING, type Gateways, type Slot } from './gateways.ts'
import { listReceived } from './settle.ts'
import type { StormOptions } from './storm.ts'

export interface ClusterOptions {
  /** With `assetsUrl`. */
  place: Place
  server: PostgresqlServer
  hosts: number
  viewers: number
  seed: number
}

type Cluster = NonNullable<StormOptions['cluster']>

const MAX_DOWN_MS = 3000
const MAX_WATCH_MS = 4 * 3_600_000

export async function createCluster(options: ClusterOptions): Promise<Cluster & { close(): Promise<void> }> {
  const { place, server, hosts, viewers, seed } = options
  const random = createRandom(seed + 5)
  const assetsUrl = new URL(place.assetsUrl!)
  const proxy = await startTcpProxy(assetsUrl.searchParams.get('endpoint')!)
  assetsUrl.searchParams.set('endpoint', proxy.url)
  const shared = { ...place, assetsUrl: assetsUrl.href }
  return {
    startGateways: (providersOf) => startHosts(shared, hosts, providersOf),
    faults: {
      async 'PostgreSQL killed'() {
        await server.crash()
        await pause(random.between(0, MAX_DOWN_MS))
        await server.restart()
        return true
      },
      // Its objects are durable: to its clients, a killed store is one whose connections break.
      async 'store killed'() {
        proxy.reset()
        await pause(random.between(0, MAX_DOWN_MS))
        proxy.heal()
        return true
      },
    },
    watch: (gateways) => watch(place, gateways, viewers),
    close: () => proxy.close(),
  }
}

async function startHosts(
  shared: Place,
  count: number,
  providersOf: (process: number) => Record<string, unknown>[],
): Promise<Gateways> {
  let [folders, started] = [0, 0]
  const newFolder = async (): Promise<Place> => {
    const dataDir = join(shared.dataDir, `host-${folders++}`)
    await mkdir(dataDir, { recursive: true })
    return { ...shared, dataDir }
  }
  const slots: Slot[] = []
  for (let number = 0; number < count; number++)
    slots.push({
      number,
      process: 0,
      port: await freePort(),
      place: await newFolder(),
      gateway: undefined,
    })
  const gateways: Gateways = {
    slots,
    otherHost: slots.at(-1),
    running: () => slots.flatMap(({ gateway }) => gateway ?? []),
    async countReceived() {
      return (await Promise.all(slots.map((slot) => listReceived(slot.place)))).flat().length
    },
    async kill(slot) {
      const { gateway } = slot
      slot.gateway = undefined
      await gateway?.kill()
    },
    async start(slot) {
      slot.process = started++
      slot.gateway = await startGateway(slot.place, {
        providers: providersOf(slot.process),
        engine: TUNING,
        port: slot.port,
        canSetClock: true,
        env: S3_CREDENTIALS,
      })
    },
    async loseDataFolder(slot) {
      const id = await readFile(join(slot.place.dataDir, 'folder-id'), 'utf8')
      slot.place = await newFolder()
      return id.trim()
    },
  }
  for (const slot of slots) await gateways.start(slot)
  return gateways
}

/** Each viewer resumes at a running host, in turn. */
async function watch(place: Place, gateways: Gateways, count: number): ReturnType<Cluster['watch']> {
  let turn = 0
  const pick = (): Client => {
    const running = gateways.slots.filter(({ gateway }) => gateway !== undefined)
    const slot = (running.length > 0 ? running : gateways.slots)[turn++ % (running.length || 1)]!
    return createClient(`http://127.0.0.1:${slot.port}`)
  }
  const client = watchingAt(pick)
  const { tasks } = await client.get<{ tasks: { feedCursor: string } }>('{ tasks { feedCursor } }')
  const followers = Array.from({ length: count }, (_, nth) =>
    newFollower(TRANSPORTS[nth % TRANSPORTS.length]!, null, tasks.feedCursor),
  )
  /** When the last task is about to begin: all others. */
  let known: ReadonlySet<string> | undefined
  const until = performance.now() + MAX_WATCH_MS
  const watching = followers.map((follower) =>
    follow(
      client,
      follower,
      ({ kind, task }) => kind === 'TaskFinished' && known?.has(task.id) === false,
      until,
    ),
  )
  return {
    async end(ids) {
      known = new Set(ids)
      const id = await pick().generate({
        prompt: 'the last one',
        idempotencyKey: 'last',
        providers: ['sync'],
      })
      await Promise.race([Promise.all(watching), pause(60_000)])
      return id
    },
    async problems() {
      const logs = await readLogs(place)
      return followers.flatMap((follower) => findGaps(follower, logs))
    },
  }
}
