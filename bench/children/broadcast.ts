// The reference of delivery: the same bytes to every open socket with `ws`.
import { createServer } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import { WebSocketServer } from 'ws'
import { serve, clock, cpuMicros } from '../child.ts'

const http = createServer()
const server = new WebSocketServer({ server: http, perMessageDeflate: false })

const verbs = {
  async start(): Promise<string> {
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
    const address = http.address()
    return `ws://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`
  },
  watching: () => server.clients.size,
  cpuMicros,
  /** Sends each message to all sockets, and returns the times. */
  async send({ messages, everyMs }: { messages: readonly string[]; everyMs: number }): Promise<number[]> {
    const sent: number[] = []
    for (const message of messages) {
      sent.push(clock())
      const bytes = Buffer.from(message)
      for (const client of server.clients) client.send(bytes, { binary: false })
      await pause(everyMs)
    }
    return sent
  },
}

export type BroadcastVerbs = typeof verbs

serve(verbs)
