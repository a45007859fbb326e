// Twenty answers that arrive at once at a process that dies while it brings the pictures home.
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

const LANDINGS = 20
/** So many answers must be received, and not yet on record, when the process dies. */
const RECEIVED = 10
/** Soon received and long in decoding, so that many are on their way at a time. */
const EDGE = 2400
const PICTURE = (
  await sharp({ create: { width: EDGE, height: EDGE, channels: 3, background: 'teal' } })
    .png()
    .toBuffer()
).toString('base64')
const SETTINGS = { engine: { leaseMs: 1500, heartbeatMs: 300, reapMs: 200, pollMs: 100 } }

/** What the operating system does to a process that takes too much, and what its own engine does. */
const DEATHS = [
  { how: 'SIGKILL', signal: 'SIGKILL', heapMb: 512 },
  { how: 'a full heap', signal: 'SIGABRT', heapMb: 64 },
] as const

describe.each(DATABASES)('a process on %s that brings twenty pictures home', (database) => {
  it.each(DEATHS)(
    'loses no answer it has received to $how',
    { timeout: 180_000 },
    async ({ signal, heapMb }) => {
      const place = await newPlace(database)
      onTestFinished(() => place.remove())
      const upstream = await startUpstream()
      const providers = [upstream.entry]
      const doomed = await startDoomed(place, providers, heapMb)
      const ids = await Promise.all(
        Array.from({ length: LANDINGS }, (_, i) => doomed.client.generate({ prompt: `lamp ${i}` })),
      )
      while ((await listReceived(place)).length < RECEIVED) await pause(1)
      if (signal === 'SIGKILL') doomed.child.kill(signal)
      else doomed.child.send('leak')
      expect((await doomed.ended)[1]).toBe(signal)

      const received = await listReceived(place)
      expect(received.length).toBeGreaterThanOrEqual(RECEIVED / 2)
      const heir = await startGateway(place, { ...SETTINGS, providers })
      const { ends, discrepancies } = await settle(place, [heir], {
        ids,
        charges: () => upstream.charges,
        received,
      })
      expect(discrepancies).toEqual([])
      expect(ends['SUCCEEDED']).toBeGreaterThanOrEqual(received.length)
      expect(upstream.charges).toHaveLength(LANDINGS)
    },
  )
})

/** Answers all of its orders at once, when the last has come. */
async function startUpstream() {
  const charges: string[] = []
  const { promise: full, resolve } = Promise.withResolvers<void>()
  const server = createServer((request, reply) => {
    void buffer(request).then(async () => {
      charges.push(String(request.headers['idempotency-key']))
      if (charges.length === LANDINGS) resolve()
      await full
      reply.writeHead(200, { 'content-type': 'application/json' })
      reply.end(JSON.stringify({ created: 1_780_000_000, data: [{ b64_json: PICTURE }], usage: {} }))
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

/** A gateway with that much heap, which can be told to fill it. */
async function startDoomed(place: Place, providers: object[], heapMb: number) {
  const file = join(place.dataDir, 'doomed.json')
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
