// Runs the artifacts of relay-compiler in argv[3] with relay-runtime, against the server at argv[2].
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { createClient } from 'graphql-ws'
import relay, { type ConcreteRequest, type GraphQLResponse, type Variables } from 'relay-runtime'
import { print } from './recording.ts'

const [url = '', folder = ''] = process.argv.slice(2)
const { ConnectionHandler, Environment, Network, Observable, RecordSource, Store } = relay
const load = createRequire(join(folder, '/'))
const artifact = (name: string) => load(`./${name}.graphql.js`) as ConcreteRequest

const sockets = createClient({ url: url.replace('http', 'ws') })
const environment = new Environment({
  store: new Store(new RecordSource()),
  network: Network.create(
    async ({ text }, variables) => {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ query: text, variables }),
      })
      return (await response.json()) as GraphQLResponse
    },
    ({ text }, variables) =>
      Observable.create((sink) =>
        sockets.subscribe(
          { query: text!, variables },
          {
            next: (result) => sink.next(result as GraphQLResponse),
            error: (error) => sink.error(error instanceof Error ? error : new Error(JSON.stringify(error))),
            complete: () => sink.complete(),
          },
        ),
      ),
  ),
})

const run = (name: string, variables: Variables) =>
  relay.fetchQuery(environment, artifact(name), variables).toPromise()

/** The ids of the connection in the store, which grows with each page. */
function connection(): { ids: string[]; hasNext: boolean; cursor: string } {
  let found = { ids: [] as string[], hasNext: false, cursor: '' }
  relay.commitLocalUpdate(environment, (store) => {
    const record = ConnectionHandler.getConnection(store.getRoot(), 'Tasks_tasks')!
    const edges = record.getLinkedRecords('edges') ?? []
    const pageInfo = record.getLinkedRecord('pageInfo')
    found = {
      ids: edges.map((edge) => String(edge.getLinkedRecord('node').getValue('id'))),
      hasNext: pageInfo.getValue('hasNextPage') === true,
      cursor: String(pageInfo.getValue('endCursor')),
    }
  })
  return found
}

// Keeps what the query selects in the store.
environment.retain(relay.createOperationDescriptor(artifact('TasksQuery'), { count: 2 }))
await run('TasksQuery', { count: 2 })
let page = connection()
while (page.hasNext) {
  await run('TasksPaginationQuery', { count: 2, cursor: page.cursor })
  page = connection()
}

const refetched = []
for (const [name, id] of [
  ['TasksProviderRefetchQuery', 'provider_sandbox'],
  ['TasksModelRefetchQuery', 'model_sandbox/gpt-image-2'],
  ['TasksTaskRefetchQuery', page.ids[0]],
] as const) {
  await run(name, { id })
  relay.commitLocalUpdate(environment, (store) => {
    const record = store.get(id)
    refetched.push({
      type: record?.getType(),
      id: record?.getDataID(),
      name: record?.getValue('name') ?? null,
    })
  })
}

const event = await new Promise((resolve, reject) => {
  const subscription = relay.requestSubscription(environment, {
    subscription: artifact('TasksProvidersSubscription'),
    variables: {},
    onNext(response) {
      resolve(response)
      subscription.dispose()
    },
    onError: reject,
  })
})

print({ ids: page.ids, refetched, event })
process.exit()
