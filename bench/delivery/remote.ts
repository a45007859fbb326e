// An event of a task in one process to the viewers of another one, on PostgreSQL.
import { startPostgresql } from '../../test/support/postgresql-server.ts'
import { openChild } from '../child.ts'
import type { GatewayVerbs } from '../children/gateway.ts'
import { alternate, type Rounds } from '../measure.ts'
import { deliver, sampleEvent } from './fanout.ts'
import { documentOf, ENGINE, openGateway, openPeer, openViewers } from './servers.ts'

/** The reference is the same bytes broadcast with ws. Delays include the durable write. */
export async function remoteViewers(rounds: number, viewers: number): Promise<Rounds> {
  const server = await startPostgresql()
  try {
    await using worker = await openGateway('worker', { databaseUrl: server.url })
    await using child = openChild<GatewayVerbs>('gateway')
    const url = await child.call('start', { databaseUrl: server.url, engine: ENGINE })
    const remote = { ...worker, url, cpuMicros: () => child.call('cpuMicros') }
    await using broadcast = await openPeer('raw-ws', await sampleEvent(worker))
    const audience = { transport: 'WebSocket', count: viewers, documents: [documentOf('taskFeed')] } as const
    await using ours = await openViewers(remote, audience)
    await using reference = await openViewers(broadcast, audience)
    const pace = { count: 20, everyMs: viewers / 5 }
    return await alternate(rounds, {
      ours: () => deliver(remote, ours, viewers, pace),
      reference: () => deliver(broadcast, reference, viewers, pace),
    })
  } finally {
    await server.stop()
  }
}
