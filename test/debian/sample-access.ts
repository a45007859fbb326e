// A project with API keys, budgets, limits, webhooks and deliveries, for screenshots.
import { createServer } from 'node:http'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { requestRule } from '../../src/providers/wire/address.ts'
import { openGatewayWithKeys, type GatewayWithKeys } from '../access/gateway-with-keys.ts'

export interface SampleAccess {
  gateway: GatewayWithKeys
  /** Ids of a key with budgets, of a webhook, and of a delivery that failed. */
  key: string
  webhook: string
  delivery: string
  [Symbol.asyncDispose](): Promise<void>
}

/** Messages are sent to a receiver on the loopback address, which refuses those of failed tasks. */
export async function openSampleAccess(): Promise<SampleAccess> {
  const receiver = createServer((request, response) => {
    request.resume()
    const isRefused = request.url === '/alerts'
    request.on('end', () => response.writeHead(isRefused ? 500 : 204).end())
  })
  receiver.listen(0, '127.0.0.1')
  await once(receiver, 'listening')
  const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`
  const dataDir = await mkdtemp(join(tmpdir(), 'darkroom-access-'))
  const remove = () => rm(dataDir, { recursive: true, force: true })
  const gateway = await openGatewayWithKeys({
    place: { databaseUrl: null, dataDir, remove },
    webhookRule: { ...requestRule(['http:']), ports: null, isPublic: () => true },
    settings: { limits: { requestsPerMinute: 3_000, concurrentTasks: 200 } },
  })
  const operator = gateway.operator()
  const set = (owner: string, period: string, dollars: number) =>
    operator.get('mutation ($input: SetBudgetInput!) { setBudget(input: $input) { budget { period } } }', {
      input: { owner, period, limitMicros: dollars * 1_000_000 },
    })
  const register = async (input: object) =>
    (
      await operator.get<{ createWebhook: { webhook: { id: string } } }>(
        'mutation ($input: CreateWebhookInput!) { createWebhook(input: $input) { webhook { id } } }',
        { input },
      )
    ).createWebhook.webhook.id

  const { viewer } = await operator.get<{ viewer: { project: { id: string } } }>(
    '{ viewer { project { id } } }',
  )
  const shop = await named('shop', ['GENERATE', 'READ'])
  await named('reports', ['READ', 'REPORT'], new Date(Date.now() + 3 * 86_400_000).toISOString())
  await named('deploy', ['READ', 'GENERATE', 'REPORT', 'ADMIN'])
  const old = await named('shop of 2025', ['GENERATE', 'READ'])
  await operator.get('mutation ($id: ID!) { revokeApiKey(input: { id: $id }) { apiKey { id } } }', {
    id: old.id,
  })
  await operator.get(
    'mutation ($input: SetLimitsInput!) { setLimits(input: $input) { limits { tasksPerMinute } } }',
    {
      input: { owner: shop.id, limits: { tasksPerMinute: 120, concurrentTasks: 20 } },
    },
  )
  await gateway.newProject('Atelier')
  const webhook = await register({ url: `${url}/orders`, description: 'Order desk' })
  await register({ url: `${url}/alerts`, events: ['TASK_FAILED', 'TASK_OUTCOME_UNKNOWN'] })
  const client = gateway.as(shop.key)
  for (const prompt of [
    'a lighthouse at dusk',
    'a forbidden bridge [sandbox:moderation]',
    'a red kite',
    'a paper model of a city',
  ])
    await client.ended(await client.generate({ prompt, quality: 'LOW' }))
  await set(viewer.project.id, 'MONTH', 0.02)
  await set(shop.id, 'DAY', 0.014)
  await set(shop.id, 'MONTH', 5)
  const delivery = await failedDelivery()
  return {
    gateway,
    key: shop.id,
    webhook,
    delivery,
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]()
      receiver.close()
      await remove()
    },
  }

  async function named(name: string, scopes: string[], expiresAt?: string) {
    const { createApiKey } = await operator.get<{
      createApiKey: { key: string; apiKey: { id: string } }
    }>('mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { key apiKey { id } } }', {
      input: { name, scopes, expiresAt },
    })
    return { key: createApiKey.key, id: createApiKey.apiKey.id }
  }

  /** That of the failed task: after its first try. */
  async function failedDelivery(): Promise<string> {
    for (;;) {
      const { webhookDeliveries } = await operator.get<{
        webhookDeliveries: { nodes: { id: string; event: string; tries: object[] }[] }
      }>('{ webhookDeliveries(first: 20) { nodes { id event tries { number } } } }')
      const found = webhookDeliveries.nodes.find(
        ({ event, tries }) => event === 'TASK_FAILED' && tries.length > 0,
      )
      if (found && webhookDeliveries.nodes.every(({ tries }) => tries.length > 0)) return found.id
      await pause(100)
    }
  }
}
