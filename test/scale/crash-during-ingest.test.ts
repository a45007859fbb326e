// Twenty results that arrive at once at a process that dies while it ingests them.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { setTimeout as pause } from 'node:timers/promises'
import sharp from 'sharp'
import { describe, expect, it, onTestFinished } from 'vitest'
import { listen } from '../providers/upstreams/listen.ts'
import { createClient } from '../support/client.ts'
import { DATABASES, newPlace, type Place } from '../support/database.ts'
import { startGateway } from '../support/gateway-process.ts'
import { listReceived, settle } from '../storm/settle.ts'
import { withCompileCache } from '../support/compile-cache.ts'

const RESULTS = 20
/** Received answers that are not settled when the process dies. */
const RECEIVED = 10
/** Fast to receive and slow to decode, so that many are in progress at a time. */
const EDGE = 2400
const IMAGE = (
  await sharp({ create: { width: EDGE, height: EDGE, channels: 3, background: 'teal' } })
    .png()
    .toBuffer()
).toString('base64')
const SETTINGS = { engine: { leaseMs: 1500, heartbeatMs: 300, reapMs: 200, pollMs: 100 } }

/** Killed by the operating system for its memory, or ended by its own engine. */
const CRASHES = [
  { how: 'SIGKILL', signal: 'SIGKILL', heapMb: 512 },
  { how: 'a full heap', signal: 'SIGABRT', heapMb: 64 },
] as const

describe.each(DATABASES)('a process on %s that ingests twenty results', (database) => {
  it.each(CRASHES)('loses no received answer to $how', { timeout: 180_000 }, async ({ signal, heapMb }) => {
    const place = await newPlace(database)
    onTestFinished(() => place.remove())
    const upstream = await startUpstream()
    const providers = [upstream.entry]
    const killed = await startKilled(place, providers, heapMb)
    const ids = await Promise.all(
      Array.from({ length: RESULTS }, (_, i) => killed.client.generate({ prompt: `lamp ${i}` })),
    )
    while ((await listReceived(place)).length < RECEIVED) await pause(1)
    if (signal === 'SIGKILL') killed.child.kill(signal)
    else killed.child.send('leak')
    expect((await killed.ended)[1]).toBe(signal)

    const received = await listReceived(place)
    expect(received.length).toBeGreaterThanOrEqual(RECEIVED / 2)
    const next = await startGateway(place, { ...SETTINGS, providers })
    const { ends, discrepancies } = await settle(place, [next], {
      ids,
      charges: () => upstream.charges,
      received,
    })
    expect(discrepancies).toEqual([])
    expect(ends['SUCCEEDED']).toBeGreaterThanOrEqual(received.length)
    expect(upstream.charges).toHaveLength(RESULTS)
  })
})

/** Responds to all requests at once, after the last one arrived. */
async function startUpstream() {
  const charges: string[] = []
  const { promise: full, resolve } = Promise.withResolvers<void>()
  const server = createServer((request, reply) => {
    void buffer(request).then(async () => {
      charges.push(String(request.headers['idempotency-key']))
      if (charges.length === RESULTS) resolve()
      await full
      reply.writeHead(200, { 'content-type': 'application/json' })
      reply.end(JSON.stringify({ created: 1_780_000_000, data: [{ b64_json: IMAGE }], usage: {} }))
    })
  })
  server.on('connection', (socket) => socket.on('error', () => undefined))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const baseUrl = `${await listen(server)}/v1`
  return { charges, entry: { name: 'studio', dialect: 'basic', baseUrl, apiKey: 'studio-key' } }
}

/** A gateway with a limited heap, which fills it on command. */
async function startKilled(place: Place, providers: object[], heapMb: number) {
  const file = join(place.dataDir, 'killed.json')
  const { dataDir, databaseUrl } = place
  await writeFile(
    file,
    JSON.stringify({ port: 0, dataDir, databaseUrl, logLevel: 'silent', providers, ...SETTINGS }),
  )
  const child = fork(join(import.meta.dirname, 'leaking-child.ts'), {
    env: withCompileCache({ DARKROOM_CONFIG: file }),
    execArgv: [`--max-old-space-size=${heapMb}`],
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  const ended = once(child, 'exit')
  const [url] = (await once(child, 'message')) as [string]
  return { child, ended, client: createClient(url) }
}
