import { startPostgresql } from '../test/support/postgresql-server.ts'
import { openChild } from './child.ts'
import type { GatewayVerbs } from './children/gateway.ts'
import type { SubscriberVerbs } from './children/subscribers.ts'
import { generate } from './graphql.ts'
import { alternate, compare, percentile, type Sample } from './measure.ts'
import type { Section } from './table.ts'

const ROUNDS = 5
const EVENTS = 100
const EVERY_MS = 20
const WATCH = 'subscription ($taskId: ID!) { taskEvents(taskId: $taskId) { __typename cursor } }'
/** Too long to be of use: an event must arrive by a notification. */
const ENGINE = { progressIntervalMs: 0, pollMs: 60_000 }

/** How much longer an event takes to a viewer of another process. */
export async function cluster(): Promise<Section> {
  const server = await startPostgresql()
  try {
    await using worker = openChild<GatewayVerbs>('gateway')
    await using viewer = openChild<GatewayVerbs>('gateway')
    await using subscribers = openChild<SubscriberVerbs>('subscribers')
    const start = (gateway: typeof worker, dialect: string) =>
      gateway.call('start', {
        databaseUrl: server.url,
        providers: [{ name: dialect, dialect }],
        engine: ENGINE,
      })
    const urls = { here: await start(worker, 'manual'), there: await start(viewer, 'sandbox') }
    const taskId = await generate(`${urls.here}/graphql`, '{ prompt: "a clock", providers: ["manual"] }')
    await worker.call('progress', { steps: [], everyMs: 0 })
    const subscribe = { query: WATCH, variables: { taskId } }
    for (const [name, url] of Object.entries(urls))
      await subscribers.call('open', {
        name,
        url: `${url.replace('http', 'ws')}/graphql`,
        count: 1,
        subscribe,
      })

    let step = 0
    const total = EVENTS * 2 * (ROUNDS + 1) + 1
    async function deliver(name: keyof typeof urls): Promise<Sample> {
      const steps = Array.from({ length: EVENTS }, () => (++step / total) * 0.98)
      const sent = await worker.call('progress', { steps, everyMs: EVERY_MS })
      for (const each of ['here', 'there']) await subscribers.call('arrived', { name: each, count: EVENTS })
      const delays = await subscribers.call('take', { name, sent })
      await subscribers.call('take', { name: name === 'here' ? 'there' : 'here', sent })
      return { p50: percentile(delays, 0.5), p99: percentile(delays, 0.99) }
    }
    const rounds = await alternate(ROUNDS, {
      ours: () => deliver('there'),
      reference: () => deliver('here'),
    })

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
