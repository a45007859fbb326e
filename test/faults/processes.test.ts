// Gateway processes that are killed or stopped while an upstream works and charges.
import { createServer } from 'node:net'
import { once } from 'node:events'
import { describe, expect, it, onTestFinished } from 'vitest'
import { startAcedataUpstream, type AcedataUpstream } from '../providers/upstreams/acedata.ts'
import { startOpenaiUpstream } from '../providers/upstreams/openai.ts'
import type { Client } from '../support/client.ts'
import { DATABASES, newPlace, type DatabaseKind, type Place } from '../support/database.ts'
import { startGateway } from '../support/gateway-process.ts'
import { expectConsistency } from './consistency.ts'
import { startFaultyUpstream } from './upstream.ts'

/** Recovers the attempts of a dead process soon. */
const TUNING = { leaseMs: 1000, heartbeatMs: 300, reapMs: 100, pollMs: 50 }

const TASK = `query ($id: ID!) { task(id: $id) {
  status charged
  attempts { id state charged remoteId }
  images { sha256 }
  partialImages { image { url } }
  events { nodes { __typename } }
} }`

interface TaskView {
  status: string
  charged: string
  attempts: { id: string; state: string; charged: string; remoteId: string | null }[]
  images: { sha256: string }[]
  partialImages: { image: { url: string } }[]
  events: { nodes: { __typename: string }[] }
}

async function taskOf(client: Client, id: string): Promise<TaskView> {
  return (await client.get<{ task: TaskView }>(TASK, { id })).task
}

async function reached(client: Client, id: string, status: string): Promise<TaskView> {
  await expect.poll(async () => (await taskOf(client, id)).status).toBe(status)
  return taskOf(client, id)
}

async function newPlaceOf(database: DatabaseKind): Promise<Place> {
  const place = await newPlace(database)
  onTestFinished(() => place.remove())
  return place
}

/** A port for two processes in sequence: callbacks sent to the first reach the second. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address ? address.port : 0
}

/** By default it is not polled during the test. */
async function acedata({ callbackPollMs = 600_000, keepsTraces = true } = {}): Promise<{
  upstream: AcedataUpstream
  providers: Record<string, unknown>[]
}> {
  const upstream = await startAcedataUpstream({ keepsTraces })
  onTestFinished(() => upstream.close())
  const entry = { baseUrl: upstream.url, apiKey: 'ace-test-key', pollMs: 200, callbackPollMs }
  return { upstream, providers: [{ name: 'ace', dialect: 'acedata', ...entry }] }
}

const submits = ({ requests }: AcedataUpstream) =>
  requests.filter(({ path }) => !path.endsWith('/tasks')).length
/** The attempt of each charge. */
const chargesOf = ({ ledger }: AcedataUpstream) => ledger.map(({ clientRef }) => clientRef)
const checks = (upstream: AcedataUpstream) => upstream.requests.length - submits(upstream)

describe.each(DATABASES)('a gateway on %s', (database) => {
  it('keeps the partial images of a stream when killed, with an unknown outcome', async () => {
    const place = await newPlaceOf(database)
    const upstream = await startOpenaiUpstream({ apiKey: 'sk-test-key' })
    onTestFinished(() => upstream.close())
    upstream.script('hold-final')
    const entry = { baseUrl: upstream.url, apiKey: 'sk-test-key', mode: 'stream' }
    const providers = [{ name: 'openai', dialect: 'openai', ...entry }]
    const killed = await startGateway(place, { providers, engine: TUNING })
    const id = await killed.generate({ prompt: 'a harbour', size: '1024x1024', partialImages: 2 })
    await expect.poll(async () => (await taskOf(killed, id)).partialImages.length).toBe(2)
    await killed.kill()
    {
      await using next = await startGateway(place, { providers, engine: TUNING })
      const seen = await reached(next, id, 'OUTCOME_UNKNOWN')
      expect(seen.attempts).toMatchObject([{ state: 'UNKNOWN', charged: 'UNKNOWN' }])
      expect(seen.partialImages).toHaveLength(2)
      for (const { image } of seen.partialImages) expect((await fetch(image.url)).status).toBe(200)
    }
    expect(upstream.requests).toHaveLength(1)
    await expectConsistency(place, upstream.charges.keys())
  })

  it('finds an attempt by its own id when killed before the remote id was stored, and pays once', async () => {
    const place = await newPlaceOf(database)
    const { upstream, providers } = await acedata()
    upstream.script('hang')
    upstream.scriptCallbacks('never')
    const killed = await startGateway(place, { providers, engine: TUNING })
    const id = await killed.generate({ prompt: 'a harbour' })
    await expect.poll(() => upstream.charges.size).toBe(1)
    await killed.kill()
    {
      await using next = await startGateway(place, { providers, engine: TUNING })
      const seen = await reached(next, id, 'SUCCEEDED')
      expect(seen).toMatchObject({ charged: 'YES', images: [{}] })
      expect(seen.attempts).toMatchObject([{ state: 'SUCCEEDED', charged: 'YES', remoteId: 'task-1' }])
      expect(seen.events.nodes.map(({ __typename }) => __typename)).toContain('OutcomeBecameUnknown')
    }
    expect(upstream.deliveries).toEqual([])
    expect(submits(upstream)).toBe(1)
    await expectConsistency(place, chargesOf(upstream))
  })

  it('finds an attempt by its own id after its response was lost, and pays once', async () => {
    const place = await newPlaceOf(database)
    const { upstream, providers } = await acedata()
    upstream.script('reset-after-request')
    upstream.scriptCallbacks('never')
    {
      await using gateway = await startGateway(place, { providers, engine: TUNING })
      const id = await gateway.generate({ prompt: 'a harbour' })
      const seen = await reached(gateway, id, 'SUCCEEDED')
      expect(seen.attempts).toMatchObject([{ state: 'SUCCEEDED', charged: 'YES', remoteId: 'task-1' }])
    }
    expect(submits(upstream)).toBe(1)
    await expectConsistency(place, chargesOf(upstream))
  })

  it('accepts an attempt by a late callback when killed before the remote id was stored', async () => {
    const place = await newPlaceOf(database)
    const { upstream, providers } = await acedata({ keepsTraces: false })
    const port = await freePort()
    upstream.script('hang')
    upstream.scriptCallbacks('late')
    const killed = await startGateway(place, { providers, engine: TUNING, port })
    const id = await killed.generate({ prompt: 'a harbour' })
    await expect.poll(() => upstream.charges.size).toBe(1)
    await killed.kill()
    {
      await using next = await startGateway(place, { providers, engine: TUNING, port })
      await reached(next, id, 'OUTCOME_UNKNOWN')
      await upstream.deliver()
      const seen = await reached(next, id, 'SUCCEEDED')
      expect(seen).toMatchObject({ charged: 'YES', attempts: [{ state: 'SUCCEEDED', remoteId: 'task-1' }] })
      expect(seen.events.nodes.map(({ __typename }) => __typename)).toContain('OutcomeBecameUnknown')
    }
    expect(submits(upstream)).toBe(1)
    await expectConsistency(place, chargesOf(upstream))
  })

  it('lists an attempt for review when killed before the remote id was stored, without a callback', async () => {
    const place = await newPlaceOf(database)
    const { upstream, providers } = await acedata({ keepsTraces: false })
    upstream.script('hang')
    upstream.scriptCallbacks('never')
    const killed = await startGateway(place, { providers, engine: TUNING })
    const id = await killed.generate({ prompt: 'a harbour' })
    await expect.poll(() => upstream.charges.size).toBe(1)
    await killed.kill()
    {
      await using next = await startGateway(place, { providers, engine: TUNING })
      const { attempts } = await reached(next, id, 'OUTCOME_UNKNOWN')
      const listed = await next.get<{ attemptsNeedingReview: { nodes: { id: string }[] } }>(
        '{ attemptsNeedingReview { nodes { id } } }',
      )
      expect(listed.attemptsNeedingReview.nodes).toEqual([{ id: attempts[0]?.id }])
    }
    expect(submits(upstream)).toBe(1)
    await expectConsistency(place, chargesOf(upstream))
  })

  it('leaves an accepted attempt to the next process when killed, which checks it and pays once', async () => {
    const place = await newPlaceOf(database)
    const { upstream, providers } = await acedata({ callbackPollMs: 1500 })
    upstream.scriptCallbacks('never')
    const killed = await startGateway(place, { providers, engine: TUNING })
    const id = await killed.generate({ prompt: 'a harbour' })
    await expect
      .poll(async () => (await taskOf(killed, id)).attempts)
      .toMatchObject([{ state: 'ACCEPTED', remoteId: 'task-1' }])
    await killed.kill()
    {
      await using next = await startGateway(place, { providers, engine: TUNING })
      const seen = await reached(next, id, 'SUCCEEDED')
      expect(seen).toMatchObject({ images: [{}], attempts: [{ state: 'SUCCEEDED', remoteId: 'task-1' }] })
    }
    expect(submits(upstream)).toBe(1)
    await expectConsistency(place, chargesOf(upstream))
  })

  it('applies a callback once at the next start when killed before its check', async () => {
    const place = await newPlaceOf(database)
    const { upstream, providers } = await acedata()
    // The check after the callback hangs, so that it is in progress when the process dies.
    upstream.script('ok', 'hang')
    upstream.scriptCallbacks('late')
    const killed = await startGateway(place, { providers, engine: TUNING })
    const id = await killed.generate({ prompt: 'a harbour' })
    await expect.poll(async () => (await taskOf(killed, id)).attempts[0]?.state).toBe('ACCEPTED')
    await upstream.deliver()
    expect(upstream.deliveries.map(({ status }) => status)).toEqual([200])
    await expect.poll(() => checks(upstream)).toBe(1)
    await killed.kill()
    {
      await using next = await startGateway(place, { providers, engine: TUNING })
      const seen = await reached(next, id, 'SUCCEEDED')
      expect(seen).toMatchObject({ images: [{}], attempts: [{ state: 'SUCCEEDED' }] })
    }
    expect([submits(upstream), checks(upstream)]).toEqual([1, 2])
    await expectConsistency(place, chargesOf(upstream))
  })

  it('sends an attempt again with permission when killed in a paid call, and records both charges', async () => {
    const place = await newPlaceOf(database)
    await using upstream = await startFaultyUpstream()
    upstream.script(upstream.hold)
    const providers = [upstream.entry]
    const killed = await startGateway(place, { providers, engine: TUNING })
    const id = await killed.generate({ prompt: 'a harbour', onUnknownOutcome: 'RESEND', maxCharges: 2 })
    await expect.poll(() => upstream.charges.length).toBe(1)
    await killed.kill()
    {
      await using next = await startGateway(place, { providers, engine: TUNING })
      const seen = await reached(next, id, 'SUCCEEDED')
      expect(seen.attempts.map(({ state, charged }) => [state, charged])).toEqual([
        ['UNKNOWN', 'UNKNOWN'],
        ['SUCCEEDED', 'YES'],
      ])
    }
    expect(upstream.charges).toHaveLength(2)
    await expectConsistency(place, upstream.charges)
  })

  it('stores the image, paid once, when stopped for longer than its lease', async () => {
    const place = await newPlaceOf(database)
    await using upstream = await startFaultyUpstream()
    upstream.script(upstream.hold)
    const providers = [upstream.entry]
    {
      await using stopped = await startGateway(place, { providers, engine: TUNING })
      const id = await stopped.generate({ prompt: 'a harbour' })
      await expect.poll(() => upstream.charges.length).toBe(1)
      stopped.signal('SIGSTOP')
      const stoppedAt = performance.now()
      await expect.poll(() => performance.now() - stoppedAt).toBeGreaterThan(TUNING.leaseMs + 300)
      stopped.signal('SIGCONT')
      upstream.release()
      const seen = await reached(stopped, id, 'SUCCEEDED')
      expect(seen.attempts).toMatchObject([{ state: 'SUCCEEDED', charged: 'YES' }])
    }
    expect(upstream.charges).toHaveLength(1)
    await expectConsistency(place, upstream.charges)
  })
})

describe('two gateways on one PostgreSQL', () => {
  it('recover the lease of a stopped one, and accept its late result', async () => {
    const place = await newPlaceOf('postgresql')
    await using upstream = await startFaultyUpstream()
    upstream.script(upstream.hold)
    const providers = [upstream.entry]
    {
      await using stopped = await startGateway(place, { providers, engine: TUNING })
      const id = await stopped.generate({ prompt: 'a harbour' })
      await expect.poll(() => upstream.charges.length).toBe(1)
      await using other = await startGateway(place, { providers, engine: TUNING })
      stopped.signal('SIGSTOP')
      await reached(other, id, 'OUTCOME_UNKNOWN')
      upstream.release()
      stopped.signal('SIGCONT')
      const seen = await reached(other, id, 'SUCCEEDED')
      expect(seen.attempts).toMatchObject([{ state: 'SUCCEEDED', charged: 'YES' }])
    }
    expect(upstream.calls).toHaveLength(1)
    await expectConsistency(place, upstream.charges)
  })
})
