// A process whose leases expire while it lives.
import { writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { createServer as createTlsServer } from 'node:tls'
import { sql } from 'drizzle-orm'
import { describe, expect, it, onTestFinished } from 'vitest'
import { listen } from '../providers/upstreams/listen.ts'
import { startOpenaiUpstream } from '../providers/upstreams/openai.ts'
import { makeCertificate } from '../support/certificate.ts'
import { DATABASES, newPlace, type Place } from '../support/database.ts'
import { openEngine } from '../support/engine.ts'
import { startGateway, type GatewayProcessOptions } from '../support/gateway-process.ts'
import { done, held, scripted } from '../support/scripted.ts'
import { expectConsistency } from './consistency.ts'
import { startFaultyUpstream } from './upstream.ts'

const TUNING = { leaseMs: 1000, heartbeatMs: 300, reapMs: 100, pollMs: 50 }
const RESEND = { onUnknownOutcome: 'RESEND', maxCharges: 2 } as const

describe.each(DATABASES)('a single process on %s, with permission to send again', (database) => {
  it('keeps its own calls when it was stopped for longer than its lease', async () => {
    const place = await newPlace(database)
    onTestFinished(() => place.remove())
    await using upstream = await startFaultyUpstream()
    upstream.script(upstream.hold, upstream.hold)
    {
      await using stopped = await startGateway(place, { providers: [upstream.entry], engine: TUNING })
      const ids = [
        await stopped.generate({ prompt: 'a', ...RESEND }),
        await stopped.generate({ prompt: 'b', ...RESEND }),
      ]
      await expect.poll(() => upstream.charges.length).toBe(2)
      stopped.signal('SIGSTOP')
      const stoppedAt = performance.now()
      await expect.poll(() => performance.now() - stoppedAt).toBeGreaterThan(3 * TUNING.leaseMs)
      stopped.signal('SIGCONT')
      // Several searches for expired leases.
      const resumedAt = performance.now()
      await expect.poll(() => performance.now() - resumedAt).toBeGreaterThan(600)
      upstream.release()
      for (const id of ids) expect(await stopped.ended(id)).toEqual({ status: 'SUCCEEDED' })
    }
    expect(upstream.charges).toHaveLength(2)
    const { attempts } = await expectConsistency(place, upstream.charges)
    expect(attempts.map(({ state }) => state)).toEqual(['SUCCEEDED', 'SUCCEEDED'])
  })

  it('keeps its own calls and checks when the clock is set forward beyond its leases', async () => {
    const [call, check] = [held(), held()]
    let checks = 0
    const provider = scripted(
      async (sent, nth) =>
        nth === 1 ? call.answer(sent) : { state: 'ACCEPTED', remoteId: `remote-${nth}`, checkAfterMs: 0 },
      { check: (_, order, checking) => (checks++, check.answer({ order, call: checking })) },
    )
    const tuning = { ...TUNING, heartbeatMs: 600_000, leaseMs: 30_000 }
    await using one = await openEngine({ database, providers: [provider], tuning })
    const sent = await one.create(RESEND)
    await expect.poll(() => provider.sent.length).toBe(1)
    const accepted = await one.create(RESEND)
    await expect.poll(() => checks).toBe(1)
    // As seen by a clock that is an hour ahead.
    const { attempts } = one.db.read.tables
    const hourEarlier = { leaseUntil: sql`${attempts.leaseUntil} - 3600000` }
    await one.db.tx(async (q) => void (await q.sql.update(attempts).set(hourEarlier)))
    const other = await one.create(RESEND)
    await expect.poll(() => checks).toBe(2)
    // Several searches for expired leases.
    await pause(5 * TUNING.reapMs)
    expect((await one.attempts(sent.id)).map(({ state }) => state)).toEqual(['SENDING'])
    expect(checks).toBe(2)
    call.resolveWith((more) => done(more))
    check.resolveWith((more) => done(more))
    for (const { id } of [sent, accepted, other]) await one.reached(id, 'SUCCEEDED')
    expect(provider.sent).toHaveLength(3)
  })
})

/** A TLS server in front of `url`. Returns its URL, and the path of the certificate to trust. */
async function startTls(url: string, dataDir: string): Promise<{ url: string; certificate: string }> {
  const { port, pathname } = new URL(url)
  const { key, cert } = makeCertificate()
  const server = createTlsServer({ key, cert }, (socket) => {
    const upstream = connect(Number(port), '127.0.0.1')
    for (const one of [socket, upstream]) one.on('error', () => undefined)
    socket.pipe(upstream).pipe(socket)
  })
  const origin = await listen(server, 'https')
  onTestFinished(() => void server.close())
  const certificate = join(dataDir, 'certificate.pem')
  await writeFile(certificate, cert)
  return { url: `${origin}${pathname}`, certificate }
}

const STATUSES = 'query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Task { status images { id } } } }'
interface Statuses {
  nodes: { status: string; images: unknown[] }[]
}

/** Another process gives up the attempts, whose leases have expired. */
async function untilGivenUp(place: Place, options: GatewayProcessOptions, ids: string[]): Promise<void> {
  await using other = await startGateway(place, options)
  const read = async () => (await other.get<Statuses>(STATUSES, { ids })).nodes.map(({ status }) => status)
  await expect.poll(read).toEqual(ids.map(() => 'OUTCOME_UNKNOWN'))
}

describe.each(DATABASES)('an answer on %s that arrived while its process was stopped', (database) => {
  it('is stored, although the call took too long and its lease was lost, in JSON and in a stream, over TCP and TLS', async () => {
    const place = await newPlace(database)
    onTestFinished(() => place.remove())
    const apiKey = 'key-of-the-test'
    const upstream = await startOpenaiUpstream({ apiKey })
    onTestFinished(() => upstream.close())
    const tls = await startTls(upstream.url, place.dataDir)
    const timeoutMs = 1500
    const entries = ['sync', 'stream'].flatMap((mode) =>
      [upstream.url, tls.url].map((baseUrl, nth) => ({
        name: `${mode}-${nth}`,
        dialect: 'openai',
        mode,
        baseUrl,
        apiKey,
        timeoutMs,
      })),
    )
    // Few timers: the process must wait for events when it is stopped.
    const engine = { leaseMs: 1000, heartbeatMs: 300, reapMs: 200, pollMs: 1000 }
    const options = { providers: entries, engine, env: { NODE_EXTRA_CA_CERTS: tls.certificate } }
    {
      await using stopped = await startGateway(place, options)
      upstream.script('hang', 'hang', 'hold-final', 'hold-final')
      const ids: string[] = []
      for (const { name } of entries) {
        const partialImages = name.startsWith('stream') ? 1 : 0
        ids.push(await stopped.generate({ prompt: name, providers: [name], partialImages }))
        await expect.poll(() => upstream.requests.length).toBe(ids.length)
      }
      await expect.poll(() => upstream.ledger.length).toBe(entries.length)
      await pause(100)
      stopped.signal('SIGSTOP')
      const stoppedAt = performance.now()
      await pause(50)
      upstream.release()
      if (database === 'postgresql') await untilGivenUp(place, options, ids)
      await expect.poll(() => performance.now() - stoppedAt).toBeGreaterThan(timeoutMs + 500)
      stopped.signal('SIGCONT')
      const readAll = async () => (await stopped.get<Statuses>(STATUSES, { ids })).nodes
      await expect
        .poll(async () => (await readAll()).map(({ status }) => status))
        .toEqual(ids.map(() => 'SUCCEEDED'))
      expect((await readAll()).map(({ images }) => images.length)).toEqual([1, 1, 1, 1])
    }
    const charged = upstream.ledger.map(({ clientRef }) => clientRef)
    expect(charged).toHaveLength(entries.length)
    await expectConsistency(place, charged)
  })
})
