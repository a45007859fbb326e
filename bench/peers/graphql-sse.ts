// graphql-sse alone, one connection for each subscription.
import { createServer } from 'node:http'
import { createHandler } from 'graphql-sse/lib/use/http'
import { schemaWith, servePeer } from './peer.ts'
import { createTopic } from './topic.ts'

servePeer(async () => {
  const topic = createTopic<unknown>()
  const handler = createHandler({ schema: schemaWith(() => topic.subscribe()) })
  const server = createServer((request, response) => void handler(request, response))
  return { server, publish: (event) => topic.publish({ taskFeed: event }) }
})
