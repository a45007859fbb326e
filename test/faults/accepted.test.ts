// Requests that a provider accepted, and that this server could not ask about for a while.
import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { startAcedataUpstream, type AcedataUpstream } from '../providers/upstreams/acedata.ts'
import type { Client } from '../support/client.ts'
import { DATABASES, newPlace, type DatabaseKind, type Place } from '../support/database.ts'
import { startGateway } from '../support/gateway-process.ts'
import { expectConsistency } from './consistency.ts'

const TUNING = { leaseMs: 1000, heartbeatMs: 300, reapMs: 100, recheckMs: 300, pollMs: 50 }
const TIMEOUT_MS = 2000

interface TaskView {
  status: string
  attempts: { id: string; state: string; charged: string }[]
}

async function taskOf(client: Client, id: string): Promise<TaskView> {
  const query = 'query ($id: ID!) { task(id: $id) { status attempts { id state charged } } }'
  return (await client.get<{ task: TaskView }>(query, { id })).task
}

async function reached(client: Client, id: string, status: string): Promise<TaskView> {
  await expect.poll(async () => (await taskOf(client, id)).status).toBe(status)
  return taskOf(client, id)
}

/** A gateway that is killed after the upstream accepted a task. */
async function leaveAccepted(database: DatabaseKind): Promise<{
  place: Place
  upstream: AcedataUpstream
  providers: Record<string, unknown>[]
  id: string
}> {
  const place = await newPlace(database)
  onTestFinished(() => place.remove())
  const upstream = await startAcedataUpstream({ keepsTraces: false })
  onTestFinished(() => upstream.close())
  upstream.scriptCallbacks('never')
  const entry = { baseUrl: upstream.url, apiKey: 'ace-test-key', callbackPollMs: 1000, timeoutMs: TIMEOUT_MS }
  const providers = [{ name: 'ace', dialect: 'acedata', ...entry }]
  const killed = await startGateway(place, { providers, engine: TUNING })
  const id = await killed.generate({ prompt: 'a harbour' })
  await expect.poll(async () => (await taskOf(killed, id)).attempts[0]?.state).toBe('ACCEPTED')
  await killed.kill()
  return { place, upstream, providers, id }
}

/** Checks that one request was submitted, and its charge recorded. */
async function expectOneCharge(place: Place, upstream: AcedataUpstream): Promise<void> {
  expect(upstream.requests.filter(({ path }) => !path.endsWith('/tasks'))).toHaveLength(1)
  await expectConsistency(
    place,
    upstream.ledger.map(({ clientRef }) => clientRef),
  )
}

describe.each(DATABASES)('an accepted request, on %s', (database) => {
  it('is fetched after an outage longer than its timeout, although the first check fails', async () => {
    const { place, upstream, providers, id } = await leaveAccepted(database)
    await pause(2 * TIMEOUT_MS)
    upstream.script({ status: 503, body: { error: { code: 'unavailable', message: 'try again' } } })
    {
      await using next = await startGateway(place, { providers, engine: TUNING })
      const { attempts } = await reached(next, id, 'SUCCEEDED')
      expect(attempts).toMatchObject([{ state: 'SUCCEEDED', charged: 'YES' }])
    }
    await expectOneCharge(place, upstream)
  })

  it('is listed for review while its provider is not configured, and fetched once it is again', async () => {
    const { place, upstream, providers, id } = await leaveAccepted(database)
    {
      await using without = await startGateway(place, { engine: TUNING })
      const { attempts } = await reached(without, id, 'OUTCOME_UNKNOWN')
      const { attemptsNeedingReview } = await without.get<{
        attemptsNeedingReview: { nodes: { id: string; error: { message: string } }[] }
      }>('{ attemptsNeedingReview { nodes { id error { message } } } }')
      expect(attemptsNeedingReview.nodes).toEqual([
        { id: attempts[0]!.id, error: { message: expect.stringContaining('is not configured any more') } },
      ])
    }
    {
      await using again = await startGateway(place, { providers, engine: TUNING })
      await reached(again, id, 'SUCCEEDED')
    }
    await expectOneCharge(place, upstream)
  })
})
