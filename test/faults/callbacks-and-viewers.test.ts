import { describe, expect, it, onTestFinished } from 'vitest'
import { startAcedataUpstream } from '../providers/upstreams/acedata.ts'
import { TRANSPORTS } from '../support/client.ts'
import { DATABASES, newPlace } from '../support/database.ts'
import { openEngine } from '../support/engine.ts'
import { openGateway, type TestGateway } from '../support/gateway.ts'
import { scripted } from '../support/scripted.ts'
import { expectConsistency } from './consistency.ts'

const VIEWERS = 50

describe.each(DATABASES)('a gateway on %s', (database) => {
  it('accepts five concurrent callbacks, and ends the task once', async () => {
    const place = await newPlace(database)
    onTestFinished(() => place.remove())
    const upstream = await startAcedataUpstream()
    onTestFinished(() => upstream.close())
    upstream.scriptCallbacks('late')
    const entry = { baseUrl: upstream.url, apiKey: 'ace-test-key', callbackPollMs: 600_000 }
    const providers = [{ name: 'ace', dialect: 'acedata', ...entry }]
    {
      await using gateway = await openGateway({ place, providers, engine: { pollMs: 20 } })
      const id = await gateway.generate({ prompt: 'a fox' })
      await expect.poll(() => upstream.requests.length).toBe(1)
      const url = String(upstream.requests[0]?.parameters.callback_url)
      const body = JSON.stringify({ success: true, task_id: 'task-1', data: [] })
      const post = () => fetch(url, { method: 'POST', body }).then(({ status }) => status)
      expect(await Promise.all([post(), post(), post(), post(), post()])).toEqual([200, 200, 200, 200, 200])
      await upstream.deliver()
      expect(await gateway.ended(id)).toEqual({ status: 'SUCCEEDED' })
    }
    const { assets, attempts } = await expectConsistency(
      place,
      upstream.ledger.map(({ clientRef }) => clientRef),
    )
    expect([assets.length, attempts.length]).toEqual([1, 1])
  })

  it('marks an accepted attempt UNKNOWN after three checks without a record, and does not send it again', async () => {
    const provider = scripted(async () => ({ state: 'ACCEPTED', remoteId: 'job-1', checkAfterMs: 1 }), {
      check: async () => (checks++, { state: 'MISSING', checkAfterMs: 1 }),
    })
    let checks = 0
    // No late check during the test.
    const tuning = { pollMs: 10, reapMs: 600_000 }
    await using one = await openEngine({ database, providers: [provider], tuning })
    const { id } = await one.create()
    const task = await one.reached(id, 'OUTCOME_UNKNOWN')
    expect(task.error?.message).toContain('does not know it any more')
    expect(checks).toBe(3)
    expect(await one.attempts(id)).toMatchObject([{ state: 'UNKNOWN', charged: 'UNKNOWN' }])
    expect(provider.sent).toHaveLength(1)
  })

  it(`closes ${VIEWERS} subscriptions of each kind when it stops, which resume without a gap`, async () => {
    const place = await newPlace(database)
    onTestFinished(() => place.remove())
    const providers = [{ name: 'sandbox', dialect: 'sandbox', durationMs: 600_000 }]
    const engine = { pollMs: 50 }
    const first = await openGateway({ place, providers, engine })
    const id = await first.generate({ prompt: 'a fox', size: '1024x1024' })
    const cursorsOf: string[][] = Array.from({ length: 2 * VIEWERS }, () => [])
    const watching = cursorsOf.map((cursors, i) =>
      watch(first, TRANSPORTS[i % 2]!, id, null, cursors).catch(() => undefined),
    )
    await expect.poll(() => cursorsOf.every((cursors) => cursors.length > 0)).toBe(true)
    await first.gateway.stop({ deadlineMs: 0 })
    await Promise.all(watching)

    await using next = await openGateway({ place, providers, engine })
    // An event between the two subscriptions.
    await next.get('mutation ($id: ID!) { cancelTask(input: { id: $id }) { task { id } } }', { id })
    const complete: string[] = []
    await watch(next, 'SSE', id, (await firstCursor(next, id)) ?? null, complete)
    await Promise.all(
      cursorsOf.map((cursors, i) => watch(next, TRANSPORTS[i % 2]!, id, cursors.at(-1) ?? null, cursors)),
    )
    const last = complete.at(-1)
    expect(cursorsOf.every((cursors) => cursors.length > 2)).toBe(true)
    for (const cursors of cursorsOf) {
      expect(new Set(cursors).size).toBe(cursors.length)
      expect(cursors.at(-1)).toBe(last)
      // The snapshot replaces earlier events; every later one was received.
      expect(complete.slice(complete.indexOf(cursors[1]!))).toEqual(cursors.slice(1))
    }
  }, 60_000)
})

const WATCH = `subscription ($taskId: ID!, $after: String) {
  taskEvents(taskId: $taskId, after: $after) { type: __typename cursor }
}`

/** Collects the cursors; of a snapshot only when it is the first. */
async function watch(
  gateway: TestGateway,
  transport: (typeof TRANSPORTS)[number],
  taskId: string,
  after: string | null,
  cursors: string[],
): Promise<void> {
  const events = gateway.watch<{ taskEvents: { type: string; cursor: string } }>(transport, WATCH, {
    taskId,
    after,
  })
  for await (const { data } of events) {
    if (data && (data.taskEvents.type !== 'TaskSnapshot' || cursors.length === 0))
      cursors.push(data.taskEvents.cursor)
  }
}

async function firstCursor(gateway: TestGateway, id: string): Promise<string | undefined> {
  const query = 'query ($id: ID!) { task(id: $id) { events(first: 1) { nodes { cursor } } } }'
  const { task } = await gateway.get<{ task: { events: { nodes: { cursor: string }[] } } }>(query, { id })
  return task.events.nodes[0]?.cursor
}
