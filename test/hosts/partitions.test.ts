// Hosts that lose PostgreSQL, the bucket or both, whose clocks differ, and that take over from each other.
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { startFaultyUpstream, type Act, type FaultyUpstream } from '../faults/upstream.ts'
import { startAcedataUpstream } from '../providers/upstreams/acedata.ts'
import { CONFIGURED_PRICES } from '../providers/upstreams/tariff.ts'
import { follow, newFollower } from '../scale/follow.ts'
import { findGaps, readLogs } from '../scale/gaps.ts'
import { newPlace, type Place } from '../support/database.ts'
import { readFinalState } from '../support/final-state.ts'
import type { GatewayProcessOptions } from '../support/gateway-process.ts'
import { S3_CREDENTIALS, startS3Server, type S3Server } from '../support/s3-server.ts'
import { noisyPng, upload } from '../support/uploads.ts'
import { openHosts, type Host } from './hosts.ts'

const TUNING = { leaseMs: 2500, heartbeatMs: 400, reapMs: 200, pollMs: 100, recheckMs: 300 }

let store: S3Server
beforeAll(async () => {
  for (const [name, value] of Object.entries(S3_CREDENTIALS)) vi.stubEnv(name, value)
  store = await startS3Server()
})
afterAll(async () => {
  vi.unstubAllEnvs()
  await store.close()
})

interface Cluster {
  place: Place
  hosts: Host[]
  /** Stops all hosts, and returns violated invariants. */
  end: () => Promise<string[]>
}

async function openCluster(
  count: number,
  options: (number: number) => GatewayProcessOptions,
): Promise<Cluster> {
  const place = { ...(await newPlace('postgresql')), assetsUrl: store.newUrl('hosts') }
  onTestFinished(() => place.remove())
  const hosts = await openHosts({
    place,
    assetsUrl: place.assetsUrl,
    count,
    options: (number) => ({ engine: TUNING, ...options(number) }),
  })
  const close = () => Promise.all(hosts.map((host) => host.close()))
  onTestFinished(async () => void (await close()))
  return {
    place,
    hosts,
    async end() {
      await close()
      return (await readFinalState(place)).violated
    },
  }
}

/** Works, and responds when `released`. */
function holdUntil(released: Promise<void>): Act {
  return async (reply, work) => {
    const body = await work()
    await released
    reply.writeHead(200, { 'content-type': 'application/json' }).end(body)
  }
}

async function statusOf(host: Host, id: string): Promise<string> {
  const query = 'query ($id: ID!) { task(id: $id) { status } }'
  return (await host.gateway!.get<{ task: { status: string } }>(query, { id })).task.status
}

async function readiness(host: Host): Promise<number> {
  return (await fetch(`${host.url}/readyz`)).status
}

const entry = (upstream: FaultyUpstream, name: string, more = {}) => ({ ...upstream.entry, name, ...more })

describe('hosts that are cut off while they receive a paid image', () => {
  it('keep it, pay nothing twice and store it later, whether PostgreSQL, the bucket or both are away', async () => {
    await using upstream = await startFaultyUpstream()
    const { promise: released, resolve: release } = Promise.withResolvers<void>()
    upstream.script(...Array.from({ length: 3 }, () => holdUntil(released)))
    const { hosts, end } = await openCluster(4, (number) => ({
      providers: [number < 3 ? entry(upstream, `own-${number}`) : entry(upstream, 'other')],
    }))
    const [noDatabase, noStore, neither, other] = hosts as [Host, Host, Host, Host]
    const ids: string[] = []
    for (const [number, host] of hosts.slice(0, 3).entries())
      ids.push(await host.gateway!.generate({ prompt: 'a pier', providers: [`own-${number}`] }))
    await expect.poll(() => upstream.charges.length).toBe(3)
    noDatabase.cut('database')
    noStore.refuseStore()
    neither.cut('database')
    neither.refuseStore()
    release()

    // What was sent by a host without a database is unknown to the others, and never sent again.
    await expect.poll(() => statusOf(other, ids[0]!), { timeout: 15_000 }).toBe('OUTCOME_UNKNOWN')
    await expect.poll(() => statusOf(other, ids[2]!), { timeout: 15_000 }).toBe('OUTCOME_UNKNOWN')
    expect(await statusOf(other, ids[1]!)).toBe('RUNNING')
    await expect.poll(() => readiness(noStore), { timeout: 15_000 }).toBe(503)
    const waiting = await noStore.gateway!.generate({ prompt: 'a second pier', providers: ['own-1'] })
    const served = await other.gateway!.generate({ prompt: 'a harbour' })
    expect(await other.gateway!.ended(served)).toEqual({ status: 'SUCCEEDED' })
    expect(await statusOf(other, waiting)).toBe('QUEUED')
    expect(upstream.charges).toHaveLength(4)

    for (const host of hosts) host.heal()
    for (const id of [...ids, waiting])
      await expect.poll(() => statusOf(other, id), { timeout: 30_000 }).toBe('SUCCEEDED')
    expect([upstream.calls.length, new Set(upstream.charges).size]).toEqual([5, 5])
    expect(await end()).toEqual([])
  })
})

describe('two hosts', () => {
  it('whose clocks differ by 90 seconds send once, and no lease expires early', async () => {
    await using upstream = await startFaultyUpstream()
    // For longer than a lease.
    upstream.script(...Array.from({ length: 2 }, () => holdUntil(pause(1.5 * TUNING.leaseMs))))
    const { hosts, end } = await openCluster(2, () => ({
      providers: [entry(upstream, 'shared', { concurrency: 3 })],
      canSetClock: true,
    }))
    const [ahead, right] = hosts as [Host, Host]
    ahead.gateway!.setClock(90_000)
    const ids = await Promise.all(
      Array.from({ length: 8 }, (_, nth) =>
        (nth % 2 ? ahead : right).gateway!.generate({ prompt: 'a clock' }),
      ),
    )
    for (const id of ids) expect(await right.gateway!.ended(id)).toEqual({ status: 'SUCCEEDED' })
    expect([upstream.calls.length, new Set(upstream.charges).size]).toEqual([8, 8])
    ahead.gateway!.setClock(0)
    expect(await end()).toEqual([])
  })

  it('of which one sent the request and is dead: the other one gets the callback, and the image', async () => {
    const upstream = await startAcedataUpstream({ apiKey: 'key' })
    onTestFinished(() => upstream.close())
    upstream.scriptCallbacks('late')
    const provider = {
      name: 'callback',
      dialect: 'acedata',
      mode: 'callback',
      baseUrl: upstream.url,
      apiKey: 'key',
      models: [{ name: 'gpt-image-2', price: CONFIGURED_PRICES.acedata }],
      callbackPollMs: 600_000,
    }
    const { hosts, end } = await openCluster(1, () => ({ providers: [provider] }))
    const [receiver] = hosts as [Host]
    const [sender] = (await openHosts({
      place: { ...receiver.place, dataDir: `${receiver.place.dataDir}-sender` },
      assetsUrl: receiver.place.assetsUrl!,
      count: 1,
      options: () => ({ providers: [provider], engine: TUNING, settings: { publicUrl: receiver.url } }),
    })) as [Host]
    onTestFinished(() => sender.close())
    await receiver.stop()
    const id = await sender.gateway!.generate({ prompt: 'a courier' })
    await expect.poll(() => statusOf(sender, id)).toBe('RUNNING')
    await expect.poll(() => upstream.ledger.length).toBe(1)
    await receiver.start()
    await sender.kill()
    await upstream.deliver()
    expect(upstream.deliveries.map(({ url, status }) => [new URL(url).origin, status])).toEqual([
      [receiver.url, 200],
    ])
    expect(await receiver.gateway!.ended(id)).toEqual({ status: 'SUCCEEDED' })
    expect(upstream.ledger).toHaveLength(1)
    expect(await end()).toEqual([])
  })

  it('of which one stops: the other one sends its uploads, and serves its viewers without a gap', async () => {
    const providers = [{ name: 'sandbox', dialect: 'sandbox', durationMs: 2500, concurrency: 1 }]
    const { place, hosts, end } = await openCluster(2, () => ({ providers }))
    const [stopping, other] = hosts as [Host, Host]
    const { tasks } = await other.gateway!.get<{ tasks: { feedCursor: string } }>('{ tasks { feedCursor } }')
    const first = await other.gateway!.generate({ prompt: 'takes the only slot' })
    await expect.poll(() => statusOf(other, first)).toBe('RUNNING')
    const uploaded = await upload(stopping.url, await noisyPng(100_000))
    const viewer = newFollower('WebSocket', null, tasks.feedCursor)
    const watching = follow(
      { ...other.gateway!, watch: (...args) => (stopping.gateway ?? other.gateway!).watch(...args) as never },
      viewer,
      ({ kind, task }) => kind === 'TaskFinished' && task.id === uploaded.taskId,
      performance.now() + 30_000,
    )
    await expect.poll(() => viewer.cursors.length).toBeGreaterThan(1)
    await stopping.stop()
    expect(await other.gateway!.ended(uploaded.taskId!)).toEqual({ status: 'SUCCEEDED' })
    await watching
    expect(viewer.resumed).toBeGreaterThan(0)
    expect(await end()).toEqual([])
    expect(findGaps(viewer, await readLogs(place))).toEqual([])
  })
})
