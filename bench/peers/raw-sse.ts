// The bytes of an event to every connection: one HTTP chunk, made once and written to each socket.
import { createServer } from 'node:http'
import type { Socket } from 'node:net'
import { servePeer } from './peer.ts'

servePeer(async () => {
  const sockets = new Set<Socket>()
  const server = createServer((request, response) => {
    request.resume()
    response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
    sockets.add(request.socket)
    request.socket.once('close', () => sockets.delete(request.socket))
  })
  return {
    server,
    publish(event) {
      const text = Buffer.from(`event: next\ndata: ${JSON.stringify({ data: { taskFeed: event } })}\n\n`)
      const chunk = Buffer.concat([Buffer.from(`${text.length.toString(16)}\r\n`), text, Buffer.from('\r\n')])
      for (const socket of sockets) socket.write(chunk)
    },
  }
})
