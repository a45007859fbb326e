import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import { openChild, type Child } from './child.ts'
import type { GatewayVerbs } from './children/gateway.ts'
import { load } from './load.ts'
import { alternate, compare, type Sample } from './measure.ts'
import type { Section } from './table.ts'

const ROUNDS = 7
const PROVIDERS = [{ name: 'sandbox', dialect: 'sandbox', concurrency: 1, timeoutMs: 3_600_000 }]
const ASK =
  'mutation ($input: GenerateImageInput!) { generateImage(input: $input) { task { id status lastCursor createdAt } } }'

/** The cost of keys, limits and budgets per mutation. */
export async function limits(): Promise<Section> {
  await using guarded = openChild<GatewayVerbs>('gateway')
  await using open = openChild<GatewayVerbs>('gateway')
  const ours = await startLimited(guarded)
  const reference = side(open, `${await open.call('start', { providers: PROVIDERS })}/graphql`, {})
  for (const one of [ours, reference]) await one(1, 1, 'a wall [sandbox:stall]')

  const compared = (connections: number, requests: number) =>
    alternate(ROUNDS, {
      ours: () => ours(connections, requests),
      reference: () => reference(connections, requests),
    })
  const alone = await compared(1, 300)
  const many = await compared(32, 320)

  const against = 'the same without any of them'
  const unit = 'µs'
  return {
    title: 'limits · generateImage with a key, all four limits and budgets, on SQLite',
    notes: [
      'Nothing is painted: a stalled call has the only slot, so that tasks stay queued. They are canceled after each round.',
    ],
    rows: [
      { what: '1 connection, P50', unit, against, figures: compare(alone, 'p50') },
      { what: '1 connection, P99', unit, against, figures: compare(alone, 'p99') },
      { what: '32 connections, time per task', unit, against, figures: compare(many, 'each') },
      { what: '32 connections, server CPU per task', unit, against, figures: compare(many, 'cpu') },
    ],
  }
}

type Side = (connections: number, requests: number, prompt?: string) => Promise<Sample>

function side(gateway: Child<GatewayVerbs>, url: string, headers: Record<string, string>): Side {
  return async (connections, requests, prompt) => {
    const sample = await load(url, {
      connections,
      requests,
      headers,
      body: (n) => ask(prompt ?? `a red fox in the snow, number ${n}`),
      serverCpu: () => gateway.call('cpuMicros'),
    })
    if (prompt === undefined) await cancelAll(url, headers)
    return sample
  }
}

const QUEUED = z.object({
  data: z.object({ tasks: z.object({ nodes: z.array(z.object({ id: z.string() })) }) }),
})

/** Cancels the queued tasks, a page at a time. */
async function cancelAll(url: string, headers: Record<string, string>): Promise<void> {
  for (;;) {
    const text = await send(
      url,
      headers,
      '{ tasks(first: 100, filter: { statuses: [QUEUED] }) { nodes { id } } }',
    )
    const { nodes } = QUEUED.parse(JSON.parse(text)).data.tasks
    if (nodes.length === 0) return
    await Promise.all(
      nodes.map(({ id }) =>
        send(url, headers, `mutation { cancelTask(input: { id: "${id}" }) { task { id } } }`),
      ),
    )
  }
}

async function send(url: string, headers: Record<string, string>, query: string): Promise<string> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ query }),
  })
  const text = await response.text()
  if (text.includes('"errors"')) throw new Error(text.slice(0, 500))
  return text
}

/** A gateway with a key, all limits and all budgets. None of them is exhausted. */
async function startLimited(gateway: Child<GatewayVerbs>): Promise<Side> {
  const adminKey = randomBytes(32).toString('base64url')
  const url = `${await gateway.call('start', { providers: PROVIDERS, adminKey })}/graphql`
  const administer = (query: string) => send(url, { authorization: `Bearer ${adminKey}` }, query)
  const created = await administer(
    'mutation { createApiKey(input: { name: "bench", scopes: [GENERATE, READ] }) { key apiKey { id project { id } } } }',
  )
  const [key, keyId, projectId] = [/dk_live_\w+/, /key_\w{26}/, /prj_\w{26}/].map(
    (form) => form.exec(created)?.[0],
  )
  for (const owner of [keyId, projectId]) {
    await administer(
      `mutation { setLimits(input: { owner: "${owner}", limits: { requestsPerMinute: 2000000000, tasksPerMinute: 2000000000, ` +
        'concurrentTasks: 5000, uploadBytesPerMinute: 2000000000 } }) { limits { tasksPerMinute } } }',
    )
    for (const period of ['DAY', 'MONTH', 'TOTAL'])
      await administer(
        `mutation { setBudget(input: { owner: "${owner}", period: ${period}, limitMicros: 1000000000000000 }) { budget { period } } }`,
      )
  }
  return side(gateway, url, { authorization: `Bearer ${key}` })
}

function ask(prompt: string): string {
  const input = { prompt, size: '1024x1024', quality: 'MEDIUM', partialImages: 3 }
  return JSON.stringify({ query: ASK, variables: { input } })
}
