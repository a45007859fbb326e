// The bytes of a `next` message to every socket, with `ws` and without GraphQL.
import { createServer } from 'node:http'
import { WebSocketServer } from 'ws'
import { servePeer } from './peer.ts'

servePeer(async () => {
  const server = createServer()
  const sockets = new WebSocketServer({ server, handleProtocols: () => 'graphql-transport-ws' })
  let id = ''
  sockets.on('connection', (socket) => {
    socket.on('message', (data: Buffer) => {
      const text = data.toString()
      // All viewers use one id.
      id = /"id":"([^"]+)"/.exec(text)?.[1] ?? id
      if (text.includes('"connection_init"')) socket.send('{"type":"connection_ack"}')
    })
  })
  return {
    server,
    publish(event) {
      const bytes = Buffer.from(JSON.stringify({ id, type: 'next', payload: { data: { taskFeed: event } } }))
      for (const client of sockets.clients) client.send(bytes, { binary: false })
    },
  }
})
