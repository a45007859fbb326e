// The cost of an event to many viewers, beside every peer.
import { setTimeout as pause } from 'node:timers/promises'
import type { ViewerTransport } from '../children/viewers.ts'
import { rotate, type Sample } from '../measure.ts'
import type { Pace } from '../pace.ts'
import type { PeerEvent } from '../peers/peer.ts'
import {
  documentOf,
  latestEvent,
  openGateway,
  openPeer,
  openViewers,
  type Feed,
  type LiveServer,
  type Viewers,
} from './servers.ts'

export const PEERS: Readonly<Record<ViewerTransport, readonly string[]>> = {
  WebSocket: ['raw-ws', 'graphql-ws', 'yoga', 'mercurius'],
  SSE: ['raw-sse', 'graphql-sse', 'yoga'],
}

const FEEDS: readonly Feed[] = ['taskFeed', 'taskEvents']

export interface Fanout {
  transport: ViewerTransport
  viewers: number
  density: 'sparse' | 'dense'
  pace: Pace
  /** The samples of each server in each round, by name; the gateway has one name for each feed. */
  rounds: Readonly<Record<string, Sample>>[]
  /** Resident memory for each viewer in KB, by server. */
  viewerKb: Readonly<Record<string, number>>
}

/** Measures a gateway for each feed and all peers of a transport with this number of viewers. */
export async function fanout(transport: ViewerTransport, viewers: number, rounds: number): Promise<Fanout[]> {
  await using stack = new AsyncDisposableStack()
  const sides: Record<string, (pace: Pace) => Promise<Sample>> = {}
  const viewerKb: Record<string, number> = {}

  async function add(server: LiveServer, feed: Feed): Promise<void> {
    const before = await server.rssKb()
    const audience = stack.use(
      await openViewers(server, { transport, count: viewers, documents: [documentOf(feed)] }),
    )
    viewerKb[server.name] = ((await server.rssKb()) - before) / viewers
    sides[server.name] = (pace) => deliver(server, audience, viewers, pace)
  }

  let event: PeerEvent | undefined
  for (const feed of FEEDS) {
    const gateway = stack.use(await openGateway(`Darkroom ${feed}`))
    event ??= await sampleEvent(gateway)
    await add(gateway, feed)
  }
  for (const name of PEERS[transport]) await add(stack.use(await openPeer(name, event!)), 'taskFeed')

  const results: Fanout[] = []
  for (const { density, pace } of pacesOf(viewers)) {
    const measured = await rotate(
      rounds,
      Object.fromEntries(Object.entries(sides).map(([name, side]) => [name, () => side(pace)])),
    )
    results.push({ transport, viewers, density, pace, rounds: measured, viewerKb })
  }
  return results
}

/** Sparse: up to 5,000 deliveries per second. Dense: events 1 ms apart, faster than any server delivers them to all. */
function pacesOf(viewers: number): Pick<Fanout, 'density' | 'pace'>[] {
  const many = Math.max(10, Math.min(100, Math.round(50_000 / viewers)))
  return [
    { density: 'sparse', pace: { count: viewers > 2000 ? 5 : 10, everyMs: Math.max(20, viewers / 5) } },
    { density: 'dense', pace: { count: many, everyMs: 1 } },
  ]
}

/** An event of the gateway's feed, for the peers. */
export async function sampleEvent(gateway: LiveServer): Promise<PeerEvent> {
  await using viewer = await openViewers(gateway, {
    transport: 'WebSocket',
    count: 1,
    documents: [documentOf('taskFeed')],
  })
  return await latestEvent(viewer)
}

/** Sends events and waits for all of them. CPU in µs for each delivery, delays in ms, and deliveries per second. */
export async function deliver(
  server: LiveServer,
  audience: Viewers,
  viewers: number,
  pace: Pace,
): Promise<Sample> {
  await audience.call('expect', pace.count)
  await pause(100)
  const before = await server.cpuMicros()
  const sent = await server.send(pace)
  await audience.call('arrived')
  const cpu = (await server.cpuMicros()) - before
  const { p50, p99, lastAt } = await audience.call('take', sent)
  const deliveries = viewers * pace.count
  return { cpu: cpu / deliveries, p50, p99, rate: deliveries / ((lastAt - (sent[0] ?? Number.NaN)) / 1000) }
}

/** CPU of the gateway for an event without viewers, in µs: the durable write. */
export async function writeCost(): Promise<number> {
  await using gateway = await openGateway('Darkroom')
  const write = async () => {
    const before = await gateway.cpuMicros()
    await gateway.send({ count: WRITES, everyMs: 2 })
    // The last writes are still in progress.
    await pause(500)
    return ((await gateway.cpuMicros()) - before) / WRITES
  }
  await write()
  return await write()
}

const WRITES = 300
