import { Client as Connection } from 'pg'
import { expect, it, onTestFinished } from 'vitest'
import { ADMIN_KEY, bearer } from '../access/gateway-with-keys.ts'
import { createClient, type Client } from '../support/client.ts'
import { newPlace } from '../support/database.ts'
import { startGateway } from '../support/gateway-process.ts'
import { PRICE_MICROS } from './fixtures.ts'
import { openPricedUpstream } from './priced-upstream.ts'

const GENERATE = 'mutation ($input: GenerateImageInput!) { generateImage(input: $input) { task { id } } }'
const SET_BUDGET = `mutation ($owner: ID!, $limitMicros: BigInt) {
  setBudget(input: { owner: $owner, period: TOTAL, limitMicros: $limitMicros }) { budget { remainingMicros } }
}`

interface Tenant {
  project: string
  keys: { id: string; key: string }[]
}

async function newTenant(url: string, name: string): Promise<Tenant> {
  const operator = createClient(url, bearer(ADMIN_KEY))
  const { createProject } = await operator.get<{ createProject: { project: { id: string } } }>(
    'mutation ($name: String!) { createProject(input: { name: $name }) { project { id } } }',
    { name },
  )
  const inside = createClient(url, { ...bearer(ADMIN_KEY), 'darkroom-project': createProject.project.id })
  const keys = []
  for (const key of ['one', 'two']) {
    const { createApiKey } = await inside.get<{ createApiKey: { key: string; apiKey: { id: string } } }>(
      'mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { key apiKey { id } } }',
      { input: { name: key, scopes: ['GENERATE', 'READ', 'REPORT'] } },
    )
    keys.push({ id: createApiKey.apiKey.id, key: createApiKey.key })
  }
  return { project: createProject.project.id, keys }
}

async function totalOf(client: Client) {
  const { project } = await client.get<{
    project: { budgets: { heldMicros: number; spentMicros: number }[] }
  }>('{ project { budgets { heldMicros spentMicros } } }')
  const { heldMicros, spentMicros } = project.budgets.at(-1)!
  return [heldMicros, spentMicros]
}

it('two processes on one PostgreSQL keep the budgets of many projects and keys without a deadlock', async () => {
  const place = await newPlace('postgresql')
  onTestFinished(() => place.remove())
  const settings = { adminKey: ADMIN_KEY }
  const providers = [await openPricedUpstream({ imageMicros: PRICE_MICROS })]
  await using one = await startGateway(place, { providers, settings })
  await using two = await startGateway(place, { providers, settings })
  const operator = createClient(one.url, bearer(ADMIN_KEY))
  const tenants = await Promise.all(['a', 'b', 'c', 'd'].map((name) => newTenant(one.url, name)))
  for (const { project, keys } of tenants) {
    await operator.get(SET_BUDGET, { owner: project, limitMicros: 15 * PRICE_MICROS })
    await operator.get(SET_BUDGET, { owner: keys[0]!.id, limitMicros: 5 * PRICE_MICROS })
  }
  // Both processes settle attempts meanwhile, in transactions that lock a task, its project and its budgets.
  const results = await Promise.all(
    Array.from({ length: 160 }, async (_, i) => {
      const { project, keys } = tenants[i % 4]!
      const key = keys[Math.floor(i / 4) % 2]!
      const client = createClient([one, two][Math.floor(i / 8) % 2]!.url, bearer(key.key))
      const input = { prompt: 'a fox', size: '1024x1024', idempotencyKey: `request-${i}` }
      for (;;) {
        const { data, errors } = await client.execute<{ generateImage: { task: { id: string } } | null }>(
          GENERATE,
          { input },
        )
        const code = errors?.[0]?.extensions?.['code']
        // A busy machine asks for a repetition.
        if (code !== 'SERVICE_UNAVAILABLE')
          return { project, key: key.id, id: data?.generateImage?.task.id, code }
      }
    }),
  )
  for (const { project, keys } of tenants) {
    const ofTenant = results.filter((result) => result.project === project)
    const accepted = ofTenant.filter(({ id }) => id !== undefined)
    expect(accepted).toHaveLength(15)
    expect(accepted.filter(({ key }) => key === keys[0]!.id).length).toBeLessThanOrEqual(5)
    expect(new Set(ofTenant.filter(({ id }) => !id).map(({ code }) => code))).toEqual(
      new Set(['BUDGET_EXCEEDED']),
    )
    const client = createClient(two.url, bearer(keys[1]!.key))
    await expect.poll(() => totalOf(client)).toEqual([0, 15 * PRICE_MICROS])
  }
  const connection = new Connection({ connectionString: place.databaseUrl! })
  await connection.connect()
  const { rows } = await connection.query<{ deadlocks: string }>(
    'select deadlocks from pg_stat_database where datname = current_database()',
  )
  await connection.end()
  expect(Number(rows[0]?.deadlocks)).toBe(0)
})
