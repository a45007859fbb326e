// How long a health check and a new task take while a dashboard reads every report of a large SQLite database.
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { Pool } from 'undici'
import { clock, openChild, type Child } from './child.ts'
import type { GatewayVerbs } from './children/gateway.ts'
import { alternate, compare, percentile, type Sample } from './measure.ts'
import type { Section } from './table.ts'
import { fillTasks, FROM, RARE_MODEL, TO } from './task-rows.ts'

const ROUNDS = 3
const ROUND_MS = 10_000
const LIVEZ_EVERY_MS = 10
const GENERATE_EVERY_MS = 50
/** Browser tabs, each of which reads one report after another. */
const DASHBOARDS = 2

const DIMENSIONS = [
  'USER',
  'QUALITY',
  'STATUS',
  'SIZE',
  'OPERATION',
  'DAY, MODEL',
  'MONTH, PROVIDER',
  'DAY, STATUS',
]
const PERIOD = `from: "${new Date(FROM).toISOString()}", to: "${new Date(TO).toISOString()}"`
const TASKS = 'nodes { id status } pageInfo { hasNextPage }'

const REPORTS = [
  ...DIMENSIONS.map(
    (dimension) =>
      `{ usage(${PERIOD}, groupBy: [${dimension}]) { rows { user quality status costMicros } totals { costMicros } } }`,
  ),
  `{ usage(${PERIOD}, groupBy: [METADATA], metadataKey: "team") { rows { metadata costMicros } } }`,
  `{ usage(${PERIOD}, groupBy: [HOUR], timeZone: "Europe/Berlin") { totals { costMicros } } }`,
  `{ tasks(filter: { model: "no-such-model" }) { ${TASKS} } }`,
  `{ tasks(filter: { model: "${RARE_MODEL}" }) { ${TASKS} } }`,
  `{ tasks(filter: { provider: "no-such-provider" }) { ${TASKS} } }`,
  `{ tasks(filter: { operation: EDIT, model: "no-such-model" }) { ${TASKS} } }`,
  `{ tasks(filter: { statuses: [FAILED, CANCELED] }) { ${TASKS} } }`,
  '{ reviewCounts { provider attempts amountMicros } }',
  '{ attemptsNeedingReview(reason: COST_UNKNOWN, filter: { errorCodes: [PROVIDER_BROKEN] }) { nodes { id } } }',
  '{ providers { name queuedAttempts runningAttempts } }',
]

/** Over `millions` of tasks. */
export async function responsiveness(millions: number): Promise<Section> {
  const dataDir = await mkdtemp(join(tmpdir(), 'darkroom-responsiveness-'))
  try {
    await fillTasks(dataDir, Math.round(millions * 1_000_000))
    await using gateway = openChild<GatewayVerbs>('gateway')
    const providers = [{ name: 'sandbox', dialect: 'sandbox', concurrency: 1, timeoutMs: 3_600_000 }]
    const url = await gateway.call('start', { providers, dataDir })
    const pool = new Pool(url, { connections: 20 })
    // Has the only slot, so that tasks stay queued.
    await generate(pool, 'a wall [sandbox:stall]')
    let read = 0
    const rounds = await alternate(ROUNDS, {
      async ours() {
        const stopping = new AbortController()
        const tabs = Array.from({ length: DASHBOARDS }, async (_, nth) => {
          for (let at = nth * 7; !stopping.signal.aborted; at++) {
            await send(pool, REPORTS[at % REPORTS.length] ?? '')
            read++
          }
        })
        const sample = await probe(pool, gateway)
        stopping.abort()
        await Promise.all(tabs)
        return sample
      },
      reference: () => probe(pool, gateway),
    })
    await pool.close()
    const row = (what: string, name: string) => {
      return { what, unit: 'ms', against: 'without the dashboards', figures: compare(rounds, name) }
    }
    return {
      title: `responsiveness · ${DASHBOARDS} dashboards of all reports over ${millions} M tasks, on SQLite`,
      notes: [
        `The dashboards read ${read} reports in ${ROUNDS + 1} rounds of ${ROUND_MS / 1000} s.`,
        'New tasks stay queued: a stalled call has the only slot. The CPU time of a turn does not depend on the load of the machine.',
      ],
      rows: [
        row('longest turn of the event loop, CPU time', 'turn'),
        row('/livez, P50', 'livezP50'),
        row('/livez, P99', 'livezP99'),
        row('generateImage, P50', 'generateP50'),
        row('generateImage, P99', 'generateP99'),
      ],
    }
  } finally {
    await rm(dataDir, { recursive: true, force: true })
  }
}

async function probe(pool: Pool, gateway: Child<GatewayVerbs>): Promise<Sample> {
  await gateway.call('measureTurns')
  const [livez, tasks] = await Promise.all([
    measure(LIVEZ_EVERY_MS, () => get(pool, '/livez')),
    measure(GENERATE_EVERY_MS, () => generate(pool, 'a red fox in the snow')),
  ])
  return {
    turn: await gateway.call('longestTurnMs'),
    livezP50: percentile(livez, 0.5),
    livezP99: percentile(livez, 0.99),
    generateP50: percentile(tasks, 0.5),
    generateP99: percentile(tasks, 0.99),
  }
}

/** At fixed times, so that a server that does not respond is noticed by every request that it delays. */
async function measure(everyMs: number, request: () => Promise<unknown>): Promise<number[]> {
  const took: number[] = []
  const all: Promise<void>[] = []
  const begin = clock()
  for (let due = begin; due < begin + ROUND_MS; due += everyMs) {
    await pause(Math.max(0, due - clock()))
    const start = clock()
    all.push(request().then(() => void took.push(clock() - start)))
  }
  await Promise.all(all)
  return took
}

async function get(pool: Pool, path: string): Promise<void> {
  const { statusCode, body } = await pool.request({ method: 'GET', path })
  await body.dump()
  if (statusCode !== 200) throw new Error(`${path} responded with ${statusCode}.`)
}

async function generate(pool: Pool, prompt: string): Promise<void> {
  const input = `{ prompt: "${prompt}", idempotencyKey: "${randomUUID()}" }`
  await send(pool, `mutation { generateImage(input: ${input}) { task { id status } } }`)
}

async function send(pool: Pool, query: string): Promise<void> {
  const { body } = await pool.request({
    method: 'POST',
    path: '/graphql',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query }),
    headersTimeout: 600_000,
  })
  const text = await body.text()
  if (text.includes('"errors"')) throw new Error(`${query}: ${text.slice(0, 300)}`)
}
