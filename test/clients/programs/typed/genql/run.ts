// genql: a client that is generated from the schema. Its modules name each other without an extension, as in CommonJS.
import { createClient } from './client'

declare const process: { argv: string[]; stdout: { write(text: string): void } }

const client = createClient({ url: process.argv[2] })
void client
  .query({ tasks: { __args: { first: 2 }, nodes: { id: true, status: true } } })
  .then(({ tasks }) => {
    const statuses: ('QUEUED' | 'RUNNING' | 'OUTCOME_UNKNOWN' | 'SUCCEEDED' | 'FAILED' | 'CANCELED')[] =
      tasks.nodes.map(({ status }) => status)
    // @ts-expect-error -- not selected
    void tasks.nodes.map(({ prompt }) => prompt)
    process.stdout.write(JSON.stringify({ statuses }))
  })
