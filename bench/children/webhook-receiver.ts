// Receives webhooks. Requests to /hanging/… get no response, those to /failing/… a 500, all others a 204.
import { createServer } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import { z } from 'zod'
import { serve } from '../child.ts'

const PAYLOAD = z.object({ timestamp: z.iso.datetime() })

let delays: number[] = []

const http = createServer((request, response) => {
  const parts: Buffer[] = []
  request.on('data', (part: Buffer) => parts.push(part))
  request.on('end', () => {
    if (request.url?.startsWith('/hanging/')) return
    if (request.url?.startsWith('/failing/')) {
      response.writeHead(500).end()
      return
    }
    const { timestamp } = PAYLOAD.parse(JSON.parse(Buffer.concat(parts).toString()))
    delays.push(Date.now() - Date.parse(timestamp))
    response.writeHead(204).end()
  })
})

const verbs = {
  async start(): Promise<string> {
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
    const address = http.address()
    return `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`
  },
  /** Waits for `count` successful deliveries since the last call, and returns the time from each event, in milliseconds. */
  async take(count: number): Promise<Float64Array> {
    const deadline = Date.now() + 120_000
    while (delays.length < count) {
      if (Date.now() > deadline) throw new Error(`${delays.length} of ${count} deliveries arrived.`)
      await pause(20)
    }
    const taken = Float64Array.from(delays)
    delays = []
    return taken
  },
}

export type WebhookReceiverVerbs = typeof verbs

serve(verbs, async () => http.closeAllConnections())
