// mercurius on fastify, with its publisher and its own implementation of graphql-transport-ws.
import type { Server } from 'node:http'
import { SDL, servePeer } from './peer.ts'

/** The part of fastify and mercurius that is used here. */
interface App {
  server: Server
  register(plugin: unknown, options: object): void
  listen(options: { host: string; port: number }): Promise<string>
  graphql: { pubsub: { publish(message: { topic: string; payload: unknown }): void } }
}

interface SubscriptionContext {
  pubsub: { subscribe(topic: string): Promise<AsyncIterable<unknown>> }
}

// Only the bench installs them, so their types may be missing.
const [fastifyName, mercuriusName]: string[] = ['fastify', 'mercurius']
/* oxlint-disable typescript/no-unsafe-type-assertion */
const { default: fastify } = (await import(fastifyName!)) as { default: () => App }
const { default: mercurius } = (await import(mercuriusName!)) as { default: unknown }
/* oxlint-enable typescript/no-unsafe-type-assertion */

const subscribe = (_root: unknown, _args: unknown, { pubsub }: SubscriptionContext) =>
  pubsub.subscribe('event')

servePeer(async () => {
  const app = fastify()
  app.register(mercurius, {
    schema: SDL,
    resolvers: { Subscription: { taskFeed: { subscribe } } },
    subscription: true,
  })
  await app.listen({ host: '127.0.0.1', port: 0 })
  return {
    server: app.server,
    publish: (event) => app.graphql.pubsub.publish({ topic: 'event', payload: { taskFeed: event } }),
  }
})
