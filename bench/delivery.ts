import { setTimeout as pause } from 'node:timers/promises'
import { openChild, type Child } from './child.ts'
import type { BroadcastVerbs } from './children/broadcast.ts'
import type { GatewayVerbs } from './children/gateway.ts'
import type { SubscriberVerbs } from './children/subscribers.ts'
import { generate } from './graphql.ts'
import { alternate, compare, percentile, type Rounds, type Sample } from './measure.ts'
import type { Row, Section } from './table.ts'

const ROUNDS = 5
const WATCH = `subscription ($taskId: ID!) { taskEvents(taskId: $taskId) {
  __typename cursor at task { id status progress } ... on TaskProgressed { progress }
} }`

/** Viewers, events and their pace: up to 5,000 deliveries per second. */
const AUDIENCES = [
  { viewers: 1, events: 100, everyMs: 5 },
  { viewers: 100, events: 30, everyMs: 30 },
  { viewers: 1000, events: 8, everyMs: 200 },
]

/** The cost of an event to all viewers of a task. */
export async function delivery(): Promise<Section> {
  const rows: Row[] = []
  for (const audience of AUDIENCES) {
    const rounds = await deliver(audience)
    const many = `${audience.viewers.toLocaleString('en-US')} ${audience.viewers === 1 ? 'viewer' : 'viewers'}`
    const against = 'the same bytes broadcast with ws'
    rows.push(
      { what: `${many}, server CPU per delivery`, unit: 'µs', against, figures: compare(rounds, 'cpu') },
      { what: `${many}, delay P50`, unit: 'ms', against, figures: compare(rounds, 'p50') },
      { what: `${many}, delay P99`, unit: 'ms', against, figures: compare(rounds, 'p99') },
    )
  }
  return {
    title: 'delivery · an event of one task to all its viewers, over graphql-transport-ws on SQLite',
    notes: [
      'From the progress of the provider to the client, with the durable write of the event; ws stores nothing.',
      'One event after another, without a backlog. Servers and clients are separate processes.',
    ],
    rows,
  }
}

interface Audience {
  viewers: number
  events: number
  everyMs: number
}

async function deliver(audience: Audience): Promise<Rounds> {
  const { viewers, events, everyMs } = audience
  await using gateway = openChild<GatewayVerbs>('gateway')
  await using broadcast = openChild<BroadcastVerbs>('broadcast')
  await using subscribers = openChild<SubscriberVerbs>('subscribers')
  const providers = [{ name: 'manual', dialect: 'manual' }]
  const url = await gateway.call('start', { providers, engine: { progressIntervalMs: 0, pollMs: 60_000 } })
  const taskId = await generate(`${url}/graphql`, '{ prompt: "a clock" }')
  await gateway.call('progress', { steps: [], everyMs: 0 })

  const address = `${url.replace('http', 'ws')}/graphql`
  const subscribe = { query: WATCH, variables: { taskId } }
  await subscribers.call('open', { name: 'darkroom', url: address, count: viewers, subscribe })
  const bareUrl = await broadcast.call('start')
  await subscribers.call('open', { name: 'ws', url: bareUrl, count: viewers })

  const total = events * (ROUNDS + 1) + 1
  let step = 0
  const nextStep = () => (++step / total) * 0.98
  // One event first, for its bytes.
  await subscribers.call('take', {
    name: 'darkroom',
    sent: await gateway.call('progress', { steps: [nextStep()], everyMs }),
  })
  const sample = { subscribers, viewers, events }
  return await alternate(ROUNDS, {
    ours() {
      const steps = Array.from({ length: events }, nextStep)
      return during(
        () => gateway.call('cpuMicros'),
        { ...sample, name: 'darkroom' },
        () => gateway.call('progress', { steps, everyMs }),
      )
    },
    async reference() {
      const message = await subscribers.call('latest', 'darkroom')
      const messages = Array.from({ length: events }, () => message)
      return during(
        () => broadcast.call('cpuMicros'),
        { ...sample, name: 'ws' },
        () => broadcast.call('send', { messages, everyMs }),
      )
    },
  })
}

async function during(
  cpuMicros: () => Promise<number>,
  {
    subscribers,
    name,
    viewers,
    events,
  }: { subscribers: Child<SubscriberVerbs>; name: string; viewers: number; events: number },
  send: () => Promise<number[]>,
): Promise<Sample> {
  await pause(100)
  const cpu = await cpuMicros()
  const sent = await send()
  await subscribers.call('arrived', { name, count: events })
  const used = (await cpuMicros()) - cpu
  const delays = await subscribers.call('take', { name, sent })
  return { cpu: used / (viewers * events), p50: percentile(delays, 0.5), p99: percentile(delays, 0.99) }
}
