import { setTimeout as pause } from 'node:timers/promises'
import { openChild, type Child } from './child.ts'
import type { BroadcastVerbs } from './children/broadcast.ts'
import type { GatewayVerbs } from './children/gateway.ts'
import type { SwarmVerbs } from './children/swarm.ts'
import { generate } from './graphql.ts'
import { alternate, compare, percentile, type Rounds, type Sample } from './measure.ts'
import type { Row, Section } from './table.ts'

const ROUNDS = 5
const WATCH = `subscription ($taskId: ID!) { taskEvents(taskId: $taskId) {
  __typename cursor at task { id status progress } ... on TaskProgressed { progress }
} }`

/** How many watch, and how many events come how fast: about 5,000 deliveries a second at most. */
const AUDIENCES = [
  { viewers: 1, events: 100, everyMs: 5 },
  { viewers: 100, events: 30, everyMs: 30 },
  { viewers: 1000, events: 8, everyMs: 200 },
]

/** What it takes to tell everybody who watches a task that something happened. */
export async function delivery(): Promise<Section> {
  const rows: Row[] = []
  for (const audience of AUDIENCES) {
    const rounds = await tell(audience)
    const many = `${audience.viewers.toLocaleString('en-US')} ${audience.viewers === 1 ? 'viewer' : 'viewers'}`
    const against = 'the same bytes broadcast with ws'
    rows.push(
      { what: `${many}, server CPU per delivery`, unit: 'µs', against, figures: compare(rounds, 'cpu') },
      { what: `${many}, delay P50`, unit: 'ms', against, figures: compare(rounds, 'p50') },
      { what: `${many}, delay P99`, unit: 'ms', against, figures: compare(rounds, 'p99') },
    )
  }
  return {
    title: 'delivery · an event of one task to all who watch it, over graphql-transport-ws on SQLite',
    notes: [
      "From the provider's progress to the client, the durable write of the event included; ws writes nothing down.",
      'One event after another, never a backlog. Servers and clients are processes of their own.',
    ],
    rows,
  }
}

interface Audience {
  viewers: number
  events: number
  everyMs: number
}

async function tell(audience: Audience): Promise<Rounds> {
  const { viewers, events, everyMs } = audience
  await using gateway = openChild<GatewayVerbs>('gateway')
  await using broadcast = openChild<BroadcastVerbs>('broadcast')
  await using swarm = openChild<SwarmVerbs>('swarm')
  const providers = [{ name: 'metronome', dialect: 'metronome' }]
  const url = await gateway.ask('start', { providers, engine: { progressIntervalMs: 0, pollMs: 60_000 } })
  const taskId = await generate(`${url}/graphql`, '{ prompt: "a clock" }')
  await gateway.ask('beat', { steps: [], everyMs: 0 })

  const address = `${url.replace('http', 'ws')}/graphql`
  const subscribe = { query: WATCH, variables: { taskId } }
  await swarm.ask('open', { name: 'darkroom', url: address, count: viewers, subscribe })
  const bareUrl = await broadcast.ask('start')
  await swarm.ask('open', { name: 'ws', url: bareUrl, count: viewers })

  const total = events * (ROUNDS + 1) + 1
  let step = 0
  const nextStep = () => (++step / total) * 0.98
  // One event first, to have its bytes.
  await swarm.ask('take', {
    name: 'darkroom',
    sent: await gateway.ask('beat', { steps: [nextStep()], everyMs }),
  })
  const sample = { swarm, viewers, events }
  return await alternate(ROUNDS, {
    ours() {
      const steps = Array.from({ length: events }, nextStep)
      return during(
        () => gateway.ask('cpuMicros'),
        { ...sample, name: 'darkroom' },
        () => gateway.ask('beat', { steps, everyMs }),
      )
    },
    async reference() {
      const message = await swarm.ask('latest', 'darkroom')
      const messages = Array.from({ length: events }, () => message)
      return during(
        () => broadcast.ask('cpuMicros'),
        { ...sample, name: 'ws' },
        () => broadcast.ask('send', { messages, everyMs }),
      )
    },
  })
}

async function during(
  cpuMicros: () => Promise<number>,
  {
    swarm,
    name,
    viewers,
    events,
  }: { swarm: Child<SwarmVerbs>; name: string; viewers: number; events: number },
  send: () => Promise<number[]>,
): Promise<Sample> {
  await pause(100)
  const cpu = await cpuMicros()
  const sent = await send()
  await swarm.ask('arrived', { name, count: events })
  const used = (await cpuMicros()) - cpu
  const delays = await swarm.ask('take', { name, sent })
  return { cpu: used / (viewers * events), p50: percentile(delays, 0.5), p99: percentile(delays, 0.99) }
}
