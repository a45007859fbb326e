// Subscribes to the feed with each client, and reports each event to the parent as `{ client, cursor, kind, id }`. Every
// client has its default options: what connects again after a restart is the client's own behaviour.
import { ApolloClient, ApolloLink, gql, InMemoryCache, Observable } from '@apollo/client'
import { GraphQLWsLink } from '@apollo/client/link/subscriptions'
import { print } from 'graphql'
import { createClient as createSseClient } from 'graphql-sse'
import { createClient as createWsClient } from 'graphql-ws'
import { Client, fetchExchange, subscriptionExchange } from '@urql/core'
import relay from 'relay-runtime'

const [url = '', after = ''] = process.argv.slice(2)
const FEED =
  'subscription Feed($after: String) { taskFeed(after: $after) { kind: __typename cursor task { id } } }'
const wsUrl = url.replace('http', 'ws')

interface Variables {
  after: string
}

interface Event {
  kind: string
  cursor: string
  task: { id: string }
}

/** The client resumes from `variables.after` when it connects again, unless it has copied them. */
function report(client: string, variables: Variables | undefined, event: Event): void {
  if (variables) variables.after = event.cursor
  process.send!({ client, cursor: event.cursor, kind: event.kind, id: event.task.id })
}

const fail = (client: string) => (error: unknown) =>
  process.send!({ client, failed: error instanceof Error ? error.message : JSON.stringify(error) })
const end = (client: string) => () =>
  process.send!({ client, failed: 'the client completed the subscription' })

/** The recipe in the documentation of graphql-ws and graphql-sse, for clients with a function that subscribes. */
type Subscribe = (payload: { query: string; variables: Record<string, unknown> }, sink: Sink) => () => void
interface Sink {
  next(result: unknown): void
  error(error: unknown): void
  complete(): void
}
const overWs = (): Subscribe => {
  const client = createWsClient({ url: wsUrl })
  return (payload, sink) => client.subscribe(payload, sink)
}
const overSse = (): Subscribe => {
  const client = createSseClient({ url })
  return (payload, sink) => client.subscribe(payload, sink)
}

/** Updates the variables of a request, which both libraries serialise again when they connect again. */
function resuming(subscribe: Subscribe): Subscribe {
  return ({ query, variables }, sink) => {
    const own = { ...variables }
    return subscribe(
      { query, variables: own },
      {
        ...sink,
        next(result) {
          const cursor = (result as { data?: { taskFeed: Event } }).data?.taskFeed.cursor
          if (cursor) own['after'] = cursor
          sink.next(result)
        },
      },
    )
  }
}

function plain(name: string, subscribe: Subscribe): void {
  const variables = { after }
  subscribe(
    { query: FEED, variables },
    {
      next: (result) => report(name, variables, (result as { data: { taskFeed: Event } }).data.taskFeed),
      error: fail(name),
      complete: end(name),
    },
  )
}

function apollo(name: string, link: ApolloLink): void {
  new ApolloClient({ link, cache: new InMemoryCache() })
    .subscribe<{ taskFeed: Event }>({ query: gql(FEED), variables: { after } })
    .subscribe({
      next: ({ data, error }) => (error ? fail(name)(error) : report(name, undefined, data!.taskFeed)),
      error: fail(name),
      complete: end(name),
    })
}

const apolloOver = (subscribe: Subscribe) =>
  new ApolloLink(
    ({ query, variables }) =>
      new Observable((sink) =>
        subscribe(
          { query: print(query), variables },
          {
            next: (result) => sink.next(result as ApolloLink.Result),
            error: (error) => sink.error(error),
            complete: () => sink.complete(),
          },
        ),
      ),
  )

function urql(name: string, subscribe: Subscribe): void {
  const client = new Client({
    url,
    preferGetMethod: false,
    exchanges: [
      fetchExchange,
      subscriptionExchange({
        forwardSubscription: ({ query = '', variables }) => ({
          subscribe: (sink) => ({
            unsubscribe: subscribe({ query, variables: { ...(variables as object) } }, sink),
          }),
        }),
      }),
    ],
  })
  client.subscription<{ taskFeed: Event }>(FEED, { after }).subscribe(({ data, error }) => {
    if (error) fail(name)(error)
    else if (data) report(name, undefined, data.taskFeed)
  })
}

function relayOver(name: string, subscribe: Subscribe): void {
  const { Environment, Network, Observable: RelayObservable, RecordSource, Store } = relay
  const environment = new Environment({
    store: new Store(new RecordSource()),
    network: Network.create(
      () => Promise.reject(new Error('No query is expected.')),
      ({ text }, variables) =>
        RelayObservable.create((sink) => subscribe({ query: text!, variables }, sink as unknown as Sink)),
    ),
  })
  // As a network that a subscription goes through; relay.ts has compiled artifacts.
  environment
    .getNetwork()
    .execute(
      {
        id: null,
        cacheID: name,
        name: 'Feed',
        operationKind: 'subscription',
        text: FEED,
        metadata: {},
      } as never,
      { after },
      {},
    )
    .subscribe({
      next: (result) =>
        report(name, undefined, (result as unknown as { data: { taskFeed: Event } }).data.taskFeed),
      error: fail(name),
      complete: end(name),
    })
}

plain('graphql-ws', overWs())
plain('graphql-sse', overSse())
apollo('Apollo WebSocket', new GraphQLWsLink(createWsClient({ url: wsUrl })))
apollo('Apollo WebSocket with cursor', apolloOver(resuming(overWs())))
apollo('Apollo SSE', apolloOver(resuming(overSse())))
urql('urql WebSocket', resuming(overWs()))
urql('urql SSE', resuming(overSse()))
relayOver('Relay WebSocket', resuming(overWs()))
relayOver('Relay SSE', resuming(overSse()))
process.on('disconnect', () => process.exit())
