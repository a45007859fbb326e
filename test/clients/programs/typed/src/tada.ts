// gql.tada: types from the text of the document.
import { initGraphQLTada, type ResultOf } from 'gql.tada'
import { print } from 'graphql'
import type { introspection } from './graphql-env.js'

declare const process: { argv: [string, string, string]; stdout: { write(text: string): void } }

const graphql = initGraphQLTada<{
  introspection: introspection
  scalars: { BigInt: number; DateTime: string }
}>()
const Tasks = graphql(`
  query TadaTasks {
    tasks(first: 2) {
      nodes {
        id
        status
        createdAt
      }
    }
  }
`)
const response = await fetch(process.argv[2], {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ query: print(Tasks) }),
})
const { data } = (await response.json()) as { data: ResultOf<typeof Tasks> }
const times: string[] = data.tasks.nodes.map(({ createdAt }) => createdAt)
// @ts-expect-error -- not selected
void data.tasks.nodes.map(({ prompt }) => prompt)
process.stdout.write(
  JSON.stringify({ times: times.length, statuses: data.tasks.nodes.map(({ status }) => status) }),
)
