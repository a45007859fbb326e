// GraphQL Code Generator's client preset, with graphql-request.
import { ClientError, GraphQLClient } from 'graphql-request'
import { graphql } from './gql/index.js'

declare const process: { argv: [string, string, string]; stdout: { write(text: string): void } }

const Tasks = graphql(`
  query CodegenTasks($first: Int!) {
    tasks(first: $first) {
      nodes {
        id
        status
        provider {
          id
          name
        }
      }
    }
  }
`)
const client = new GraphQLClient(process.argv[2])
const { tasks } = await client.request(Tasks, { first: 2 })
const statuses: ('QUEUED' | 'RUNNING' | 'OUTCOME_UNKNOWN' | 'SUCCEEDED' | 'FAILED' | 'CANCELED')[] =
  tasks.nodes.map(({ status }) => status)
// @ts-expect-error -- not selected
void tasks.nodes.map(({ prompt }) => prompt)

const refused = await client.request(Tasks, { first: 1000 }).catch((error: unknown) => error)
const field = refused instanceof ClientError ? refused.response.errors?.[0]?.extensions['field'] : undefined
process.stdout.write(JSON.stringify({ statuses, field }))
