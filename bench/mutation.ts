import { openChild } from './child.ts'
import type { GatewayVerbs } from './children/gateway.ts'
import type { InsertVerbs } from './children/insert.ts'
import { load } from './load.ts'
import { alternate, compare, percentile, type Sample } from './measure.ts'
import type { Section } from './table.ts'

const ROUNDS = 7
const ASK =
  'mutation ($input: GenerateImageInput!) { generateImage(input: $input) { task { id status lastCursor createdAt } } }'

/** The cost of generateImage, from the request to the response. */
export async function mutation(): Promise<Section> {
  await using gateway = openChild<GatewayVerbs>('gateway')
  await using bare = openChild<InsertVerbs>('insert')
  const providers = [{ name: 'sandbox', dialect: 'sandbox', concurrency: 1, timeoutMs: 3_600_000 }]
  const gatewayUrl = `${await gateway.call('start', { providers })}/graphql`
  const bareUrl = await bare.call('start')

  const darkroom = (connections: number, requests: number) =>
    load(gatewayUrl, {
      connections,
      requests,
      body,
      serverCpu: () => gateway.call('cpuMicros'),
    })
  const server = (connections: number, requests: number) =>
    load(bareUrl, { connections, requests, body, serverCpu: () => bare.call('cpuMicros') })
  await load(gatewayUrl, {
    connections: 1,
    requests: 1,
    body: () => ask('a wall [sandbox:stall]'),
    serverCpu: async () => 0,
  })

  async function inserts(): Promise<Sample> {
    const took = await bare.call('insert', 1000)
    return {
      p50: percentile(took, 0.5) * 1000,
      p99: percentile(took, 0.99) * 1000,
      each: (sum(took) / took.length) * 1000,
    }
  }

  const aloneInsert = await alternate(ROUNDS, { ours: () => darkroom(1, 300), reference: inserts })
  const aloneServer = await alternate(ROUNDS, {
    ours: () => darkroom(1, 300),
    reference: () => server(1, 300),
  })
  const manyInsert = await alternate(ROUNDS, { ours: () => darkroom(32, 1000), reference: inserts })
  const manyServer = await alternate(ROUNDS, {
    ours: () => darkroom(32, 1000),
    reference: () => server(32, 1000),
  })

  const insert = 'a bare prepared insert, 1 KB, synchronous=FULL'
  const http = 'node:http + JSON + that insert'
  const unit = 'µs'
  return {
    title: 'mutation · generateImage on SQLite, from request to durable response',
    notes: [
      'A task is 3 inserts and 2 updates in one durable commit, over HTTP on persistent connections.',
      'Nothing is painted: a stalled call has the only slot, so that tasks stay queued.',
    ],
    rows: [
      { what: '1 connection, P50', unit, against: insert, figures: compare(aloneInsert, 'p50') },
      { what: '1 connection, P50', unit, against: http, figures: compare(aloneServer, 'p50') },
      { what: '1 connection, P99', unit, against: http, figures: compare(aloneServer, 'p99') },
      { what: '32 connections, time per task', unit, against: insert, figures: compare(manyInsert, 'each') },
      { what: '32 connections, time per task', unit, against: http, figures: compare(manyServer, 'each') },
      { what: '32 connections, P99', unit, against: http, figures: compare(manyServer, 'p99') },
      {
        what: '32 connections, server CPU per task',
        unit,
        against: http,
        figures: compare(manyServer, 'cpu'),
      },
    ],
  }
}

function body(n: number): string {
  return ask(`a red fox in the snow, number ${n}`)
}

function ask(prompt: string): string {
  const input = {
    prompt,
    size: '1024x1024',
    quality: 'MEDIUM',
    partialImages: 3,
    metadata: [{ key: 'run', value: 'bench' }],
  }
  return JSON.stringify({ query: ASK, variables: { input } })
}

function sum(values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0)
}
