// graphql-ws alone.
import { createServer } from 'node:http'
import { useServer } from 'graphql-ws/use/ws'
import { WebSocketServer } from 'ws'
import { schemaWith, servePeer } from './peer.ts'
import { createTopic } from './topic.ts'

servePeer(async ({ keepAliveMs }) => {
  const topic = createTopic<unknown>()
  const server = createServer()
  const sockets = new WebSocketServer({ server, path: '/graphql' })
  useServer({ schema: schemaWith(() => topic.subscribe()) }, sockets, keepAliveMs)
  return { server, publish: (event) => topic.publish({ taskFeed: event }) }
})
