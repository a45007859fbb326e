// What the peers share: the schema of the project, the event and the functions that the bench calls.
import { readFileSync } from 'node:fs'
import type { Server } from 'node:http'
import { join } from 'node:path'
import { buildSchema, type GraphQLSchema } from 'graphql'
import { cpuMicros, rssKb, serve } from '../child.ts'
import { paced, type Pace } from '../pace.ts'

/** An event as a subscription of the gateway delivers it. */
export type PeerEvent = Readonly<Record<string, unknown>>

export interface PeerStart {
  event: PeerEvent
  /** Interval of pings; the default of the library if undefined. */
  keepAliveMs?: number
}

export interface PeerVerbs extends Record<string, (input: never) => unknown> {
  /** Returns the URL. */
  start(options: PeerStart): Promise<string>
  /** Publishes the event repeatedly, each time with another progress, and returns the times. */
  send(pace: Pace): Promise<number[]>
  cpuMicros(): number
  rssKb(): number
}

export const SDL = readFileSync(join(import.meta.dirname, '../../schema.graphql'), 'utf8')

/** Serves the functions of a peer. `open` returns its server, not yet listening, and how it publishes an event. */
export function servePeer(
  open: (options: PeerStart) => Promise<{ server: Server; publish: (event: PeerEvent) => void }>,
): void {
  let publishNext: (() => void) | undefined
  serve({
    async start(options) {
      const { server, publish } = await open(options)
      let step = 0
      publishNext = () => publish({ ...options.event, progress: ++step / 1e6 })
      if (!server.listening)
        await new Promise<void>((resolve) => server.listen({ port: 0, host: '127.0.0.1' }, resolve))
      const address = server.address()
      return `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`
    },
    send: (pace) => paced(pace, () => publishNext?.()),
    cpuMicros,
    rssKb,
  } satisfies PeerVerbs)
}

/** The schema, with `taskFeed` from `subscribe`, which yields `{ taskFeed: event }`. */
export function schemaWith(subscribe: () => AsyncIterable<unknown>): GraphQLSchema {
  const schema = buildSchema(SDL)
  const field = schema.getSubscriptionType()?.getFields()['taskFeed']
  if (!field) throw new Error('The schema has no taskFeed.')
  field.subscribe = subscribe
  return schema
}
