// Apollo Client 4 against the server at argv[2]: pages in its cache, persisted queries, an upload, and what is not supported.
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { ApolloClient, type ApolloLink, gql, HttpLink, InMemoryCache } from '@apollo/client'
import { Defer20220824Handler } from '@apollo/client/incremental'
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries'
import { relayStylePagination } from '@apollo/client/utilities'
import UploadHttpLink from 'apollo-upload-client/UploadHttpLink.mjs'
import { print, recordingFetch } from './recording.ts'

const [uri = '', image = ''] = process.argv.slice(2)

const newClient = (link: ApolloLink) =>
  new ApolloClient({
    link,
    cache: new InMemoryCache({ typePolicies: { Query: { fields: { tasks: relayStylePagination() } } } }),
    incrementalHandler: new Defer20220824Handler(),
  })

const messageOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  const { bodyText = '' } = error as Error & { bodyText?: string }
  return `${error.message} ${bodyText}`
}

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

/** Each page is merged into one list. */
async function pages() {
  const client = newClient(new HttpLink({ uri }))
  const query = client.watchQuery<Tasks>({ query: TASKS })
  // A query that is watched by no one fetches nothing.
  const subscription = query.subscribe(() => {})
  let { data } = await query.refetch()
  while ((data as Tasks).tasks.pageInfo.hasNextPage) {
    await query.fetchMore({ variables: { after: (data as Tasks).tasks.pageInfo.endCursor } })
    data = client.readQuery<Tasks>({ query: TASKS }) as Tasks
  }
  subscription.unsubscribe()
  return (data as Tasks).tasks.edges.map(({ node }) => node.id)
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')

async function persisted() {
  const { requests, send } = recordingFetch()
  const client = newClient(
    new PersistedQueryLink({ sha256, useGETForHashedQueries: true }).concat(
      new HttpLink({ uri, fetch: send }),
    ),
  )
  const query = gql`
    query Apollo {
      providers {
        id
        name
      }
    }
  `
  const first = await client.query({ query, fetchPolicy: 'network-only' })
  const second = await client.query({ query, fetchPolicy: 'network-only' })
  return { requests, data: [first.data, second.data] }
}

async function upload(headers: Record<string, string>) {
  const client = newClient(new UploadHttpLink({ uri, headers }))
  const mutation = gql`
    mutation Edit($file: Upload!) {
      generateImage(input: { prompt: "a hat", images: [{ upload: $file }] }) {
        task {
          id
          operation
        }
      }
    }
  `
  const file = new File([await readFile(image)], 'fox.png', { type: 'image/png' })
  const { data } = await client.mutate<{ generateImage: { task: { operation: string } } }>({
    mutation,
    variables: { file },
  })
  return data!.generateImage.task.operation
}

const refused = (work: Promise<unknown>) => work.then(() => 'no error', messageOf)

/** Without another link, Apollo subscribes with multipart/mixed. */
function multipart(): Promise<unknown> {
  return new Promise((resolve, reject) => {
    newClient(new HttpLink({ uri }))
      .subscribe({
        query: gql`
          subscription {
            providers {
              id
            }
          }
        `,
      })
      .subscribe({ next: ({ error, data }) => (error ? reject(error) : resolve(data)), error: reject })
  })
}

const deferred = () =>
  newClient(new HttpLink({ uri })).query({
    query: gql`
      query {
        providers {
          id
          ... @defer {
            health
          }
        }
      }
    `,
  })

print({
  pages: await pages(),
  persisted: await persisted(),
  upload: await upload({ 'GraphQL-Require-Preflight': '1' }),
  uploadWithoutHeader: await refused(upload({})),
  multipart: await refused(multipart()),
  deferred: await refused(deferred()),
})
process.exit()
