// urql with its normalised cache and persisted queries, against the server at argv[2].
import { cacheExchange } from '@urql/exchange-graphcache'
import { relayPagination } from '@urql/exchange-graphcache/extras'
import { persistedExchange } from '@urql/exchange-persisted'
import { getIntrospectionQuery, type IntrospectionQuery } from 'graphql'
import { Client, fetchExchange, gql } from 'urql'
import { print, recordingFetch } from './recording.ts'

const [url = ''] = process.argv.slice(2)

const bare = new Client({ url, preferGetMethod: false, exchanges: [fetchExchange] })
const { data: schema } = await bare.query<IntrospectionQuery>(getIntrospectionQuery(), {})

const warnings: string[] = []
const { requests, send } = recordingFetch()
const client = new Client({
  url,
  preferGetMethod: false,
  fetch: send,
  exchanges: [
    cacheExchange({
      schema: schema as never,
      resolvers: { Query: { tasks: relayPagination() } },
      logger: (severity, message) => void (severity !== 'debug' && warnings.push(message)),
    }),
    persistedExchange({ preferGetForPersistedQueries: true }),
    fetchExchange,
  ],
})

const TASKS = gql`
  query Tasks($after: String) {
    tasks(first: 2, after: $after) {
      edges {
        cursor
        node {
          id
          status
          provider {
            id
            name
            health
            models {
              id
              name
            }
          }
        }
      }
      pageInfo {
        hasNextPage
        hasPreviousPage
        startCursor
        endCursor
      }
    }
  }
`
interface Tasks {
  tasks: { edges: { node: { id: string } }[]; pageInfo: { hasNextPage: boolean; endCursor: string } }
}

let after: string | undefined
let ids: string[] = []
for (let hasNext = true; hasNext;) {
  const { data, error } = await client.query<Tasks>(TASKS, { after })
  if (!data) throw error ?? new Error('There is no data.')
  // relayPagination returns all pages that were read.
  ids = data.tasks.edges.map(({ node }) => node.id)
  hasNext = data.tasks.pageInfo.hasNextPage
  after = data.tasks.pageInfo.endCursor
}

const before = requests.length
const again = await client.query(TASKS, {})
const node = await client.query<{ node: { name: string } }>(
  gql`
    query Node($id: ID!) {
      node(id: $id) {
        id
        ... on Provider {
          name
          health
        }
      }
    }
  `,
  { id: 'provider_sandbox' },
)
const repeated = await client.query(TASKS, {}, { requestPolicy: 'network-only' })
print({
  ids,
  node: node.data?.node.name,
  errors: [again, node, repeated].flatMap(({ error }) => (error ? [error.message] : [])),
  requests,
  /** The list from the cache needs none, and the node one. */
  requestsForCached: requests.length - before,
  warnings,
})
