// Gateways as processes of their own that are killed, or whose clock is stopped, while an upstream works and charges.
import { createServer } from 'node:net'
import { once } from 'node:events'
import { describe, expect, it, onTestFinished } from 'vitest'
import { startAcedataUpstream, type AcedataUpstream } from '../providers/upstreams/acedata.ts'
import { startOpenaiUpstream } from '../providers/upstreams/openai.ts'
import type { Client } from '../support/client.ts'
import { DATABASES, newPlace, type DatabaseKind, type Place } from '../support/database.ts'
import { startGateway } from '../support/gateway-process.ts'
import { expectNoHarm } from './aftermath.ts'
import { startFaultyUpstream } from './upstream.ts'

/** Quick enough for a test to wait for a dead process to be noticed. */
const TUNING = { leaseMs: 1000, heartbeatMs: 300, reapMs: 100, pollMs: 50 }

const TASK = `query ($id: ID!) { task(id: $id) {
  status charged
  attempts { id state charged remoteId }
  images { sha256 }
  partialImages { image { url } }
  events { __typename }
} }`

interface Seen {
  status: string
  charged: string
  attempts: { id: string; state: string; charged: string; remoteId: string | null }[]
  images: { sha256: string }[]
  partialImages: { image: { url: string } }[]
  events: { __typename: string }[]
}

async function taskOf(client: Client, id: string): Promise<Seen> {
  return (await client.get<{ task: Seen }>(TASK, { id })).task
}

async function reached(client: Client, id: string, status: string): Promise<Seen> {
  await expect.poll(async () => (await taskOf(client, id)).status, { timeout: 15_000 }).toBe(status)
  return taskOf(client, id)
}

async function newPlaceOf(database: DatabaseKind): Promise<Place> {
  const place = await newPlace(database)
  onTestFinished(() => place.remove())
  return place
}

/** A port that the next process finds free again: where upstreams were told to call back. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address ? address.port : 0
}

/** One that is asked by itself only when the test is over, unless `callbackPollMs` says sooner. */
async function acedata({ callbackPollMs = 600_000, keepsTraces = true } = {}): Promise<{
  upstream: AcedataUpstream
  providers: Record<string, unknown>[]
}> {
  const upstream = await startAcedataUpstream({ keepsTraces })
  onTestFinished(() => upstream.close())
  const entry = { baseUrl: upstream.url, apiKey: 'ace-test-key', pollMs: 200, callbackPollMs }
  return { upstream, providers: [{ name: 'ace', dialect: 'acedata', ...entry }] }
}

const orders = ({ requests }: AcedataUpstream) =>
  requests.filter(({ path }) => !path.endsWith('/tasks')).length
/** The attempt that each charge is for. */
const chargesOf = ({ ledger }: AcedataUpstream) => ledger.map(({ clientRef }) => clientRef)
const questions = (upstream: AcedataUpstream) => upstream.requests.length - orders(upstream)

describe.each(DATABASES)('a gateway on %s', (database) => {
  it('killed while it streams keeps its previews, and the outcome is unknown', async () => {
    const place = await newPlaceOf(database)
    const upstream = await startOpenaiUpstream({ apiKey: 'sk-test-key' })
    onTestFinished(() => upstream.close())
    upstream.script('hold-final')
    const entry = { baseUrl: upstream.url, apiKey: 'sk-test-key', mode: 'stream' }
    const providers = [{ name: 'openai', dialect: 'openai', ...entry }]
    const doomed = await startGateway(place, { providers, engine: TUNING })
    const id = await doomed.generate({ prompt: 'a harbour', size: '1024x1024', partialImages: 2 })
    await expect
      .poll(async () => (await taskOf(doomed, id)).partialImages.length, { timeout: 10_000 })
      .toBe(2)
    await doomed.kill()
    {
      await using heir = await startGateway(place, { providers, engine: TUNING })
      const seen = await reached(heir, id, 'OUTCOME_UNKNOWN')
      expect(seen.attempts).toMatchObject([{ state: 'UNKNOWN', charged: 'UNKNOWN' }])
      expect(seen.partialImages).toHaveLength(2)
      for (const { image } of seen.partialImages) expect((await fetch(image.url)).status).toBe(200)
    }
    expect(upstream.requests).toHaveLength(1)
    await expectNoHarm(place, upstream.charges.keys())
  })

  it('killed before it learned the order’s id finds it by its own, and pays no second time', async () => {
    const place = await newPlaceOf(database)
    const { upstream, providers } = await acedata()
    upstream.script('hang')
    upstream.scriptCallbacks('never')
    const doomed = await startGateway(place, { providers, engine: TUNING })
    const id = await doomed.generate({ prompt: 'a harbour' })
    await expect.poll(() => upstream.charges.size).toBe(1)
    await doomed.kill()
    {
      await using heir = await startGateway(place, { providers, engine: TUNING })
      const seen = await reached(heir, id, 'SUCCEEDED')
      expect(seen).toMatchObject({ charged: 'YES', images: [{}] })
      expect(seen.attempts).toMatchObject([{ state: 'SUCCEEDED', charged: 'YES', remoteId: 'task-1' }])
      expect(seen.events.map(({ __typename }) => __typename)).toContain('OutcomeBecameUnknown')
    }
    expect(upstream.deliveries).toEqual([])
    expect(orders(upstream)).toBe(1)
    await expectNoHarm(place, chargesOf(upstream))
  })

  it('whose order’s answer was lost on the way finds it by its own id, and pays no second time', async () => {
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
    expect(orders(upstream)).toBe(1)
    await expectNoHarm(place, chargesOf(upstream))
  })

  it('killed before it learned the order’s id adopts it from the callback, though late', async () => {
    const place = await newPlaceOf(database)
    const { upstream, providers } = await acedata({ keepsTraces: false })
    const port = await freePort()
    upstream.script('hang')
    upstream.scriptCallbacks('late')
    const doomed = await startGateway(place, { providers, engine: TUNING, port })
    const id = await doomed.generate({ prompt: 'a harbour' })
    await expect.poll(() => upstream.charges.size).toBe(1)
    await doomed.kill()
    {
      await using heir = await startGateway(place, { providers, engine: TUNING, port })
      await reached(heir, id, 'OUTCOME_UNKNOWN')
      await upstream.deliver()
      const seen = await reached(heir, id, 'SUCCEEDED')
      expect(seen).toMatchObject({ charged: 'YES', attempts: [{ state: 'SUCCEEDED', remoteId: 'task-1' }] })
      expect(seen.events.map(({ __typename }) => __typename)).toContain('OutcomeBecameUnknown')
    }
    expect(orders(upstream)).toBe(1)
    await expectNoHarm(place, chargesOf(upstream))
  })

  it('killed before it learned the order’s id, and never called back, lists it as in doubt', async () => {
    const place = await newPlaceOf(database)
    const { upstream, providers } = await acedata({ keepsTraces: false })
    upstream.script('hang')
    upstream.scriptCallbacks('never')
    const doomed = await startGateway(place, { providers, engine: TUNING })
    const id = await doomed.generate({ prompt: 'a harbour' })
    await expect.poll(() => upstream.charges.size).toBe(1)
    await doomed.kill()
    {
      await using heir = await startGateway(place, { providers, engine: TUNING })
      const { attempts } = await reached(heir, id, 'OUTCOME_UNKNOWN')
      const listed = await heir.get<{ attemptsNeedingReview: { nodes: { id: string }[] } }>(
        '{ attemptsNeedingReview { nodes { id } } }',
      )
      expect(listed.attemptsNeedingReview.nodes).toEqual([{ id: attempts[0]?.id }])
    }
    expect(orders(upstream)).toBe(1)
    await expectNoHarm(place, chargesOf(upstream))
  })

  it('killed while an accepted order is worked on leaves it to the next, who asks and pays no second time', async () => {
    const place = await newPlaceOf(database)
    const { upstream, providers } = await acedata({ callbackPollMs: 1500 })
    upstream.scriptCallbacks('never')
    const doomed = await startGateway(place, { providers, engine: TUNING })
    const id = await doomed.generate({ prompt: 'a harbour' })
    await expect
      .poll(async () => (await taskOf(doomed, id)).attempts)
      .toMatchObject([{ state: 'ACCEPTED', remoteId: 'task-1' }])
    await doomed.kill()
    {
      await using heir = await startGateway(place, { providers, engine: TUNING })
      const seen = await reached(heir, id, 'SUCCEEDED')
      expect(seen).toMatchObject({ images: [{}], attempts: [{ state: 'SUCCEEDED', remoteId: 'task-1' }] })
    }
    expect(orders(upstream)).toBe(1)
    await expectNoHarm(place, chargesOf(upstream))
  })

  it('killed between a callback and its own look applies the callback at the next start, once', async () => {
    const place = await newPlaceOf(database)
    const { upstream, providers } = await acedata()
    // The look that the callback causes hangs, so that it is under way when the process dies.
    upstream.script('ok', 'hang')
    upstream.scriptCallbacks('late')
    const doomed = await startGateway(place, { providers, engine: TUNING })
    const id = await doomed.generate({ prompt: 'a harbour' })
    await expect.poll(async () => (await taskOf(doomed, id)).attempts[0]?.state).toBe('ACCEPTED')
    await upstream.deliver()
    expect(upstream.deliveries.map(({ status }) => status)).toEqual([200])
    await expect.poll(() => questions(upstream)).toBe(1)
    await doomed.kill()
    {
      await using heir = await startGateway(place, { providers, engine: TUNING })
      const seen = await reached(heir, id, 'SUCCEEDED')
      expect(seen).toMatchObject({ images: [{}], attempts: [{ state: 'SUCCEEDED' }] })
    }
    expect([orders(upstream), questions(upstream)]).toEqual([1, 2])
    await expectNoHarm(place, chargesOf(upstream))
  })

  it('killed in a paid call sends it again where that was permitted, and admits both charges', async () => {
    const place = await newPlaceOf(database)
    await using upstream = await startFaultyUpstream()
    upstream.script(upstream.hold)
    const providers = [upstream.entry]
    const doomed = await startGateway(place, { providers, engine: TUNING })
    const id = await doomed.generate({ prompt: 'a harbour', onUnknownOutcome: 'RESEND', maxCharges: 2 })
    await expect.poll(() => upstream.charges.length).toBe(1)
    await doomed.kill()
    {
      await using heir = await startGateway(place, { providers, engine: TUNING })
      const seen = await reached(heir, id, 'SUCCEEDED')
      expect(seen.attempts.map(({ state, charged }) => [state, charged])).toEqual([
        ['UNKNOWN', 'UNKNOWN'],
        ['SUCCEEDED', 'YES'],
      ])
    }
    expect(upstream.charges).toHaveLength(2)
    await expectNoHarm(place, upstream.charges)
  })

  it('stopped for longer than its lease and continued still brings the image, paid once', async () => {
    const place = await newPlaceOf(database)
    await using upstream = await startFaultyUpstream()
    upstream.script(upstream.hold)
    const providers = [upstream.entry]
    {
      await using frozen = await startGateway(place, { providers, engine: TUNING })
      const id = await frozen.generate({ prompt: 'a harbour' })
      await expect.poll(() => upstream.charges.length).toBe(1)
      frozen.signal('SIGSTOP')
      const stoppedAt = performance.now()
      await expect
        .poll(() => performance.now() - stoppedAt, { timeout: 10_000 })
        .toBeGreaterThan(TUNING.leaseMs + 300)
      frozen.signal('SIGCONT')
      upstream.release()
      const seen = await reached(frozen, id, 'SUCCEEDED')
      expect(seen.attempts).toMatchObject([{ state: 'SUCCEEDED', charged: 'YES' }])
    }
    expect(upstream.charges).toHaveLength(1)
    await expectNoHarm(place, upstream.charges)
  })
})

describe('two gateways on one PostgreSQL', () => {
  it('give a stopped one up for dead, and take its result when it wakes', async () => {
    const place = await newPlaceOf('postgresql')
    await using upstream = await startFaultyUpstream()
    upstream.script(upstream.hold)
    const providers = [upstream.entry]
    {
      await using zombie = await startGateway(place, { providers, engine: TUNING })
      const id = await zombie.generate({ prompt: 'a harbour' })
      await expect.poll(() => upstream.charges.length).toBe(1)
      await using other = await startGateway(place, { providers, engine: TUNING })
      zombie.signal('SIGSTOP')
      await reached(other, id, 'OUTCOME_UNKNOWN')
      upstream.release()
      zombie.signal('SIGCONT')
      const seen = await reached(other, id, 'SUCCEEDED')
      expect(seen.attempts).toMatchObject([{ state: 'SUCCEEDED', charged: 'YES' }])
    }
    expect(upstream.calls).toHaveLength(1)
    await expectNoHarm(place, upstream.charges)
  })
})
