import { once } from 'node:events'
import { request, type IncomingMessage } from 'node:http'
import BetterSqlite3 from 'better-sqlite3'
import { expect, it, onTestFinished, vi } from 'vitest'
import manifest from '../../package.json' with { type: 'json' }
import { readGauges } from '../../src/db/maintenance/gauges.ts'
import { openDatabase } from '../../src/db/open.ts'
import { createLog } from '../../src/log.ts'
import { openGateway, type TestGateway } from '../support/gateway.ts'
import { DATABASES, newPlace } from '../support/database.ts'
import { openEngine } from '../support/engine.ts'
import { ANY_ADDRESS, openReceiver, statuses } from '../support/receiver.ts'
import { done, failure, scripted } from '../support/scripted.ts'
import { sampleOf, scrape } from './scrape.ts'

const QUICK = { pollMs: 20 }

it.each(DATABASES)('counts a task from its request to its webhook on %s', async (database) => {
  await using receiver = await openReceiver(statuses(204))
  await using server = await openGateway({ database, engine: QUICK, webhookRule: ANY_ADDRESS })
  const id = await server.generate({ prompt: 'a fox', callbackUrl: `${receiver.url}/webhook` })
  await server.ended(id)
  await receiver.received(1)
  await expect
    .poll(async () =>
      (await scrape(server)).get('darkroom_webhook_deliveries_ended_total{state="succeeded"}'),
    )
    .toBe(1)

  const samples = await scrape(server)
  const of = (name: string) => sampleOf(samples, name)
  expect(of('darkroom_tasks_created_total{model="gpt-image-2",operation="generate"}')).toBe(1)
  expect(of('darkroom_tasks_finished_total{status="succeeded"}')).toBe(1)
  expect(of('darkroom_task_duration_seconds_count{status="succeeded"}')).toBe(1)
  expect(of('darkroom_attempt_claims_total{provider="sandbox"}')).toBe(1)
  expect(
    of('darkroom_attempts_ended_total{provider="sandbox",model="gpt-image-2",outcome="succeeded"}'),
  ).toBe(1)
  const call = 'call="submit",provider="sandbox",model="gpt-image-2",outcome="done"'
  expect(of(`darkroom_provider_call_duration_seconds_count{${call}}`)).toBe(1)
  expect(of('darkroom_image_bytes_total{provider="sandbox"}')).toBeGreaterThan(1000)
  expect(of('darkroom_tokens_total{provider="sandbox",model="gpt-image-2",type="output"}')).toBeGreaterThan(0)
  expect(of('darkroom_webhook_tries_total{result="delivered"}')).toBe(1)
  expect(of('darkroom_graphql_operations_total{operation="mutation",result="ok"}')).toBe(1)
  expect(of('darkroom_http_requests_total{route="graphql",status="200"}')).toBeGreaterThan(1)
  expect(of('darkroom_database_transaction_duration_seconds_count{result="committed"}')).toBeGreaterThan(2)
  expect(of(`darkroom_build_info{version="${manifest.version}",database="${database}"}`)).toBe(1)
  expect(of('darkroom_database_up')).toBe(1)
  expect(of('process_resident_memory_bytes')).toBeGreaterThan(10_000_000)
})

it.each(DATABASES)('reports unknown outcomes, held money and queues from %s', async (database) => {
  const paid = scripted(({ order, call }, nth) => {
    if (nth === 1) return Promise.reject(failure('lost'))
    return done({ order, call })
  })
  await using one = await openEngine({ database, providers: [paid], tuning: { maxAttempts: 1 } })
  const lost = await one.create()
  await one.reached(lost.id, 'OUTCOME_UNKNOWN')
  const well = await one.create()
  await one.reached(well.id, 'SUCCEEDED')

  const gauges = await readGauges(one.db.read)
  const [attempt] = await one.attempts(lost.id)
  expect(gauges.unknownOutcomes).toMatchObject([{ provider: 'scripted', count: 1 }])
  expect(gauges.unknownOutcomes[0]!.chargePossibleMicros + gauges.unknownOutcomes[0]!.unpriced).toBe(
    attempt!.heldMicros ?? 1,
  )
  expect(gauges.tasks).toEqual([{ status: 'OUTCOME_UNKNOWN', count: 1 }])
  expect(gauges.queues).toEqual([])
  expect(gauges.deliveries).toEqual({ pending: 0, oldestMs: 0 })
})

it('reports the same database gauges in every process, and only its own counters', async () => {
  await using one = await openGateway({ database: 'postgresql', engine: QUICK })
  // Has no provider for the task.
  await using two = await openGateway({
    place: one.place,
    engine: QUICK,
    providers: [{ name: 'elsewhere', dialect: 'sandbox' }],
  })
  await one.execute(
    'mutation { pauseProvider(input: { name: "sandbox", reason: "to see a queue" }) { provider { name } } }',
  )
  const queue = 'darkroom_queue_attempts{provider="sandbox"}'
  await one.generate({ prompt: 'a fox', providers: ['sandbox'] })
  for (const server of [one, two]) await expect.poll(async () => (await scrape(server)).get(queue)).toBe(1)
  const there = await scrape(two)
  expect(sampleOf(there, 'darkroom_tasks{status="queued"}')).toBe(1)
  expect(sampleOf(there, 'darkroom_provider_unavailable{provider="sandbox",model=""}')).toBe(1)
  expect(there.has('darkroom_tasks_created_total{model="gpt-image-2",operation="generate"}')).toBe(false)
})

it('counts open subscriptions by transport', async () => {
  await using server = await openGateway({
    engine: QUICK,
    providers: [{ name: 'sandbox', dialect: 'sandbox', durationMs: 60_000 }],
  })
  const taskId = await server.generate({ prompt: 'a fox' })
  const document = 'subscription ($taskId: ID!) { taskEvents(taskId: $taskId) { cursor } }'
  const viewers = (['WebSocket', 'SSE'] as const).map((transport) =>
    server.watch(transport, document, { taskId }),
  )
  for (const viewer of viewers) await viewer.next()
  await expect.poll(() => subscribers(server)).toEqual({ websocket: 1, sse: 1 })
  for (const viewer of viewers) await viewer.return?.()
  await expect.poll(() => subscribers(server)).toEqual({ websocket: 0, sse: 0 })
})

async function subscribers(server: TestGateway) {
  const samples = await scrape(server)
  const of = (transport: string) => samples.get(`darkroom_subscribers{transport="${transport}"}`)
  return { websocket: of('websocket'), sse: of('sse') }
}

it('measures the event lag, without replayed events', async () => {
  await using server = await openGateway({ engine: QUICK })
  const taskId = await server.generate({ prompt: 'a fox', partialImages: 2 })
  await server.ended(taskId)
  const feed = `subscription { taskFeed { cursor at __typename } }`
  const document = 'subscription ($taskId: ID!) { taskEvents(taskId: $taskId) { cursor } }'
  const count = async () => (await scrape(server)).get('darkroom_event_lag_seconds_count') ?? 0
  const before = await count()
  for await (const _ of server.watch('SSE', document, { taskId })) continue
  expect(await count()).toBe(before)
  const viewer = server.watch('SSE', feed, {})
  const first = viewer.next()
  await expect.poll(() => subscribers(server)).toMatchObject({ sse: 1 })
  await server.generate({ prompt: 'an owl' })
  await first
  await viewer.return?.()
  expect(await count()).toBeGreaterThan(before)
})

it('serves /metrics while the database is down, and reports it', async () => {
  const lines: string[] = []
  const log = createLog('warn', { write: (line) => void lines.push(line) })
  const place = await newPlace('postgresql')
  await using server = await openGateway({ place, log })
  expect(sampleOf(await scrape(server), 'darkroom_database_up')).toBe(1)
  await place.remove()
  await expect.poll(async () => (await scrape(server)).get('darkroom_database_up')).toBe(0)
  expect(lines.join('')).toContain('reading the database gauges failed')
})

it('is not served if metrics are disabled', async () => {
  await using server = await openGateway({ settings: { metrics: false } })
  expect((await fetch(`${server.url}/metrics`)).status).toBe(404)
})

it('needs a direct request from this machine under a local name', async () => {
  await using server = await openGateway()
  expect(await status(server, {})).toBe(200)
  expect(await status(server, { 'x-forwarded-for': '203.0.113.9' })).toBe(403)
  expect(await status(server, { forwarded: 'for=203.0.113.9' })).toBe(403)
  expect(await status(server, { host: 'rebound.example' })).toBe(403)
  expect((await fetch(`${server.url}/metrics`, { method: 'POST' })).status).toBe(405)
})

it('accepts the key of the operator from anywhere, and no other key', async () => {
  const adminKey = 'dk_admin_0123456789abcdefghijklmnopqrstuv'
  await using server = await openGateway({ settings: { adminKey } })
  const away = { 'x-forwarded-for': '203.0.113.9' }
  expect(await status(server, away)).toBe(403)
  expect(await status(server, { ...away, authorization: `Bearer ${adminKey}` })).toBe(200)
  expect(await status(server, { ...away, authorization: `Bearer ${adminKey}x` })).toBe(403)
})

/** `fetch` cannot set the Host header. */
async function status({ url }: TestGateway, headers: Record<string, string>): Promise<number | undefined> {
  const outgoing = request(`${url}/metrics`, { headers }).end()
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage]
  response.resume()
  return response.statusCode
}

it('does not scan large tables', async () => {
  const prepare = vi.spyOn(BetterSqlite3.prototype, 'prepare')
  onTestFinished(() => prepare.mockRestore())
  const place = await newPlace('sqlite')
  onTestFinished(() => place.remove())
  // A running engine has compiled some of the statements before.
  const opened = await openDatabase({ ...place, onWakeUp: () => {}, log: createLog('silent') })
  prepare.mockClear()
  await readGauges(opened.read)
  await opened.close()
  const statements = new Set(prepare.mock.calls.map(([text]) => text))
  const db = new BetterSqlite3(`${place.dataDir}/darkroom.db`, { readonly: true })
  const plans = [...statements].map((text) => {
    const values = Array.from({ length: (text.match(/\?/g) ?? []).length }, () => null)
    const steps = db.prepare<unknown[], { detail: string }>(`explain query plan ${text}`).all(...values)
    return { text, steps: steps.map(({ detail }) => detail) }
  })
  db.close()
  expect(plans.length).toBeGreaterThanOrEqual(6)
  const whole = /^SCAN (?:tasks|attempts|webhook_deliveries|spending)$/
  expect(plans.filter(({ steps }) => steps.some((step) => whole.test(step)))).toEqual([])
})
