// Callbacks end to end: an upstream posts every kind of callback to a real gateway, which uses them only as a hint to
// check.
import { expect, it, onTestFinished } from 'vitest'
import { openGateway, type TestGateway } from '../support/gateway.ts'
import { startAcedataUpstream, type AcedataUpstream, type CallbackScenario } from './upstreams/acedata.ts'

interface TaskResponse {
  task: {
    status: string
    charged: string
    error: { code: string; charged: string } | null
    images: { sha256: string }[]
    attempts: { id: string; state: string; charged: string; providerRequestId: string | null }[]
    events: { nodes: { __typename: string }[] }
  }
}

const TASK = `query ($id: ID!) {
  task(id: $id) {
    status charged error { code charged } images { sha256 }
    attempts { id state charged providerRequestId } events { nodes { __typename } }
  }
}`

const LONG_POLL_MS = 600_000

async function open(callbackPollMs: number, ...scenarios: CallbackScenario[]) {
  const upstream = await startAcedataUpstream()
  onTestFinished(() => upstream.close())
  upstream.scriptCallbacks(...scenarios)
  const entry = { baseUrl: upstream.url, apiKey: 'ace-test-key', callbackPollMs, pollMs: 300 }
  const gateway = await openGateway({
    providers: [{ name: 'ace', dialect: 'acedata', ...entry }],
    engine: { pollMs: 20 },
  })
  onTestFinished(() => gateway[Symbol.asyncDispose]())
  return { upstream, gateway }
}

async function taskOf(gateway: TestGateway, id: string): Promise<TaskResponse['task']> {
  return (await gateway.get<TaskResponse>(TASK, { id })).task
}

/** The number of received checks. */
function countChecks({ requests }: AcedataUpstream): number {
  return requests.filter(({ path }) => path.endsWith('/tasks')).length
}

const statusesOf = ({ deliveries }: AcedataUpstream) => deliveries.map(({ status }) => status)

async function waitForStatuses(upstream: AcedataUpstream, ...statuses: number[]): Promise<void> {
  await expect.poll(() => statusesOf(upstream)).toEqual(statuses)
}

const DONE = {
  status: 'SUCCEEDED',
  charged: 'YES',
  error: null,
  images: [{ sha256: expect.any(String) }],
  attempts: [{ state: 'SUCCEEDED', charged: 'YES', providerRequestId: expect.stringMatching(/^att_/) }],
}

it.each<[what: string, scenario: CallbackScenario, deliveries: number]>([
  ['nested in data', 'nested', 1],
  ['flat', 'flat', 1],
  ['that arrives twice', 'twice', 2],
  ['that arrives before the reply to the submit', 'early', 1],
])('a callback %s ends the task after one check', async (_, scenario, deliveries) => {
  const { upstream, gateway } = await open(LONG_POLL_MS, scenario)
  const id = await gateway.generate({ prompt: 'a red fox' })
  await gateway.ended(id)
  await waitForStatuses(upstream, ...Array.from({ length: deliveries }, () => 200))
  expect(await taskOf(gateway, id)).toMatchObject(DONE)
  expect([...upstream.charges.values()]).toEqual([1])
  expect(countChecks(upstream)).toBe(1)
})

it('waits for a late callback, and ignores one after the end of the task', async () => {
  const { upstream, gateway } = await open(LONG_POLL_MS, 'late')
  const id = await gateway.generate({ prompt: 'a red fox' })
  await expect.poll(() => upstream.requests.length).toBe(1)
  expect(countChecks(upstream)).toBe(0)
  await upstream.deliver()
  await gateway.ended(id)
  const ended = await taskOf(gateway, id)
  expect(ended).toMatchObject(DONE)

  const [{ url, body } = { url: '', body: '' }] = upstream.deliveries
  const late = { ...parse(body), trace_id: 'late' }
  const again = await fetch(url, { method: 'POST', body: JSON.stringify(late) })
  expect(again.status).toBe(200)
  expect(await taskOf(gateway, id)).toEqual(ended)
  expect(countChecks(upstream)).toBe(1)
})

it('polls a task whose callback never arrives', async () => {
  const { upstream, gateway } = await open(10, 'never')
  const id = await gateway.generate({ prompt: 'a red fox' })
  await gateway.ended(id)
  expect(await taskOf(gateway, id)).toMatchObject(DONE)
  expect(upstream.deliveries).toEqual([])
  expect(countChecks(upstream)).toBe(2)
})

it('ends a task whose callback reports a failure by the result of the check, with an unknown charge', async () => {
  const { upstream, gateway } = await open(LONG_POLL_MS, 'failing')
  const id = await gateway.generate({ prompt: 'a red fox' })
  await gateway.ended(id)
  await waitForStatuses(upstream, 200)
  expect(await taskOf(gateway, id)).toMatchObject({
    status: 'FAILED',
    charged: 'UNKNOWN',
    error: { code: 'PROVIDER_BROKEN', charged: 'UNKNOWN' },
    images: [],
    attempts: [{ state: 'FAILED', charged: 'UNKNOWN' }],
  })
})

it('treats a forged callback as a hint to check, and trusts and downloads nothing in it', async () => {
  const { upstream, gateway } = await open(300, 'forged')
  const id = await gateway.generate({ prompt: 'a red fox' })
  await waitForStatuses(upstream, 200)
  await expect.poll(() => countChecks(upstream)).toBe(1)
  expect(await taskOf(gateway, id)).toMatchObject({ status: 'RUNNING', images: [] })
  await gateway.ended(id)
  expect(await taskOf(gateway, id)).toMatchObject(DONE)
  expect(countChecks(upstream)).toBe(2)
})

it('a callback about another task is kept and ignored', async () => {
  const { upstream, gateway } = await open(LONG_POLL_MS, 'late')
  const id = await gateway.generate({ prompt: 'a red fox' })
  await expect.poll(async () => (await taskOf(gateway, id)).attempts[0]?.state).toBe('ACCEPTED')
  const address = String(upstream.requests[0]?.parameters.callback_url)
  const other = { success: true, task_id: 'task-7', data: [{ url: 'http://127.0.0.1/x' }] }
  const reply = await fetch(address, { method: 'POST', body: JSON.stringify(other) })
  expect(reply.status).toBe(200)
  await upstream.deliver()
  await gateway.ended(id)
  expect(await taskOf(gateway, id)).toMatchObject(DONE)
  expect(countChecks(upstream)).toBe(1)
})

it.each([
  ['to an unknown URL', 404, (url: string) => url.replace(/[^/]*$/, 'x'.repeat(43)), '{}'],
  ['that is not JSON', 400, (url: string) => url, '<html>'],
])('responds to a callback %s with %i and changes nothing', async (_, status, toAddress, body) => {
  const { upstream, gateway } = await open(LONG_POLL_MS, 'late')
  const id = await gateway.generate({ prompt: 'a red fox' })
  await expect.poll(async () => (await taskOf(gateway, id)).attempts[0]?.state).toBe('ACCEPTED')
  const before = await taskOf(gateway, id)
  const address = toAddress(String(upstream.requests[0]?.parameters.callback_url))
  expect((await fetch(address, { method: 'POST', body })).status).toBe(status)
  expect(await taskOf(gateway, id)).toEqual(before)
  expect(countChecks(upstream)).toBe(0)
})

function parse(json: string): object {
  const value: unknown = JSON.parse(json)
  return typeof value === 'object' && value ? value : {}
}
