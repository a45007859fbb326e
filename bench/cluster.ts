import { startPostgresql } from '../test/support/postgresql-server.ts'
import { openChild } from './child.ts'
import type { GatewayVerbs } from './children/gateway.ts'
import { ENGINE, openGateway, openViewers, type Viewers } from './delivery/servers.ts'
import { alternate, compare, type Sample } from './measure.ts'
import type { Section } from './table.ts'

const ROUNDS = 5
const EVENTS = 100
const EVERY_MS = 20
const WATCH = 'subscription ($taskId: ID!) { taskEvents(taskId: $taskId) { __typename cursor task { id } } }'

/** How much longer an event takes to a viewer of another process. */
export async function cluster(): Promise<Section> {
  const server = await startPostgresql()
  try {
    await using worker = await openGateway('worker', { databaseUrl: server.url })
    await using viewer = openChild<GatewayVerbs>('gateway')
    const url = await viewer.call('start', { databaseUrl: server.url, engine: ENGINE })
    const audience = { transport: 'WebSocket', count: 1, documents: [WATCH] } as const
    await using here = await openViewers(worker, audience)
    await using there = await openViewers({ ...worker, url }, audience)

    async function deliver(measured: Viewers): Promise<Sample> {
      for (const viewers of [here, there]) await viewers.call('expect', EVENTS)
      const sent = await worker.send({ count: EVENTS, everyMs: EVERY_MS })
      for (const viewers of [here, there]) await viewers.call('arrived')
      const { p50, p99 } = await measured.call('take', sent)
      return { p50, p99 }
    }
    const rounds = await alternate(ROUNDS, { ours: () => deliver(there), reference: () => deliver(here) })

    const against = 'a viewer of the process that runs the task'
    return {
      title: 'cluster · an event of one task to a viewer of another process, on PostgreSQL',
      notes: ['Progress of the provider to the client, with the durable write. Polls are a minute apart.'],
      rows: [
        { what: 'delay P50', unit: 'ms', against, figures: compare(rounds, 'p50') },
        { what: 'delay P99', unit: 'ms', against, figures: compare(rounds, 'p99') },
      ],
    }
  } finally {
    await server.stop()
  }
}
