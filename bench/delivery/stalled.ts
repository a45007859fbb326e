// Memory for viewers that stop reading, and what they do to the others.
import type { ViewerTransport } from '../children/viewers.ts'
import { alternate, type Rounds } from '../measure.ts'
import type { PeerEvent } from '../peers/peer.ts'
import { deliver, sampleEvent } from './fanout.ts'
import {
  documentOf,
  openGateway,
  openPeer,
  openViewers,
  type LiveServer,
  type ServerOptions,
  type Viewers,
} from './servers.ts'

/** Large events, because the buffers of the operating system hold megabytes for each connection. */
const OPTIONS: ServerOptions = { prompt: 'a paper boat '.repeat(1500), keepsStalled: true }
/** Many, because the heap of a server varies by 20 MB. */
export const STALLED = 200
/** 20 MB for each viewer. */
const FIRST_EVENTS = 1000
const DOCUMENTS = [documentOf('taskFeed')]
/** Without raw-ws and raw-sse, which have no bound: they keep all bytes that a viewer does not read. */
const PEERS: Readonly<Record<ViewerTransport, readonly string[]>> = {
  WebSocket: ['graphql-ws', 'yoga', 'mercurius'],
  SSE: ['graphql-sse', 'yoga'],
}

export interface StalledMemory {
  /** KB for each stalled viewer after the first 20 MB of events. */
  afterFirst: number
  /** KB more after further events. */
  growth: number
}

/** By server and transport. One reading viewer of each server shows that events are delivered. */
export async function stalledMemory(furtherEvents: number): Promise<Record<string, StalledMemory>> {
  const results: Record<string, StalledMemory> = {}
  let event: PeerEvent | undefined
  const measureOurs = async (name: string, count: number, transport: ViewerTransport) => {
    await using gateway = await openGateway('Darkroom taskFeed', OPTIONS)
    event ??= await sampleEvent(gateway)
    results[name] = await measureMemory(gateway, furtherEvents, { transport, count })
  }
  await measureOurs('Darkroom, none stalled', 0, 'WebSocket')
  for (const transport of ['WebSocket', 'SSE'] as const) {
    await measureOurs(`Darkroom, ${transport}`, STALLED, transport)
    for (const name of PEERS[transport]) {
      await using peer = await openPeer(name, event!, OPTIONS)
      results[`${name}, ${transport}`] = await measureMemory(peer, furtherEvents, {
        transport,
        count: STALLED,
      })
    }
  }
  return results
}

/** Divided by the number of stalled viewers; without any, by the same number, to show what the server itself grows. */
async function measureMemory(
  server: LiveServer,
  furtherEvents: number,
  { transport, count }: { transport: ViewerTransport; count: number },
): Promise<StalledMemory> {
  await using reading = await openViewers(server, { transport: 'WebSocket', count: 1, documents: DOCUMENTS })
  // The heap of a server grows with its first events.
  await deliver(server, reading, 1, { count: FIRST_EVENTS, everyMs: 2 })
  await using stalled = await openViewers(server, { transport, count, documents: DOCUMENTS })
  await stalled.call('stall')
  const base = await server.rssKb()
  await deliver(server, reading, 1, { count: FIRST_EVENTS, everyMs: 2 })
  const first = await server.rssKb()
  await deliver(server, reading, 1, { count: furtherEvents, everyMs: 2 })
  const last = await server.rssKb()
  await requireAll(stalled)
  return { afterFirst: (first - base) / STALLED, growth: (last - first) / STALLED }
}

/** A closed viewer costs nothing, which would be another measurement. */
async function requireAll(stalled: Viewers): Promise<void> {
  const ended = await stalled.call('ended')
  if (ended > 0) throw new Error(`The server closed ${ended} stalled viewers.`)
}

/** Delay of an event to reading viewers beside one that stopped reading; the reference has none. */
export async function besideStalled(rounds: number, viewers: number): Promise<Rounds> {
  await using stack = new AsyncDisposableStack()
  const open = async (withStalled: boolean) => {
    const gateway = stack.use(await openGateway('Darkroom taskFeed', OPTIONS))
    if (withStalled) {
      const stalled = stack.use(
        await openViewers(gateway, { transport: 'WebSocket', count: 1, documents: DOCUMENTS }),
      )
      await stalled.call('stall')
      // Until its buffers are full.
      await gateway.send({ count: FIRST_EVENTS, everyMs: 2 })
    }
    const audience = stack.use(
      await openViewers(gateway, { transport: 'WebSocket', count: viewers, documents: DOCUMENTS }),
    )
    return () => deliver(gateway, audience, viewers, { count: 8, everyMs: 400 })
  }
  return await alternate(rounds, { ours: await open(true), reference: await open(false) })
}

/** CPU for each delivery to viewers whose documents all differ, beside graphql-ws alone. */
export async function differentDocuments(rounds: number, viewers: number): Promise<Rounds> {
  await using stack = new AsyncDisposableStack()
  const documents = Array.from({ length: viewers }, (_, i) => documentOf('taskFeed', i))
  const gateway = stack.use(await openGateway('Darkroom taskFeed'))
  const peer = stack.use(await openPeer('graphql-ws', await sampleEvent(gateway)))
  const side = async (server: LiveServer) => {
    const audience = stack.use(
      await openViewers(server, { transport: 'WebSocket', count: viewers, documents }),
    )
    return () => deliver(server, audience, viewers, { count: 10, everyMs: viewers / 5 })
  }
  return await alternate(rounds, { ours: await side(gateway), reference: await side(peer) })
}
