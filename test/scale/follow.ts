// A viewer whose connection breaks repeatedly, and that resumes from its last cursor.
import { setTimeout as pause } from 'node:timers/promises'
import type { Client, Transport } from '../support/client.ts'

const FIELDS = 'kind: __typename cursor task { id status }'
/** A viewer resumes with another document each time, so that those with the same one change. */
const TASK = [FIELDS, `${FIELDS} at`].map(
  (fields) => `subscription ($taskId: ID!, $after: String) {
    taskEvents(taskId: $taskId, after: $after) { ${fields} }
  }`,
)
/** The last filter matches all tasks of these tests. */
const FEED = ['', ', filter: {}', ', filter: { operation: GENERATE }'].map(
  (filter) => `subscription ($after: String) { taskFeed(after: $after${filter}) { ${FIELDS} } }`,
)

interface Event {
  kind: string
  cursor: string
  task: { id: string; status: string }
}

export interface Follower {
  transport: Transport
  /** Null follows the whole project. */
  taskId: string | null
  /** The first cursor. */
  after: string
  /** The cursors of all received events, in order, without snapshots. */
  cursors: string[]
  /** How often it resumed after a cut. */
  resumed: number
  /** What it received that no viewer should, in sentences. */
  problems: string[]
}

export function newFollower(transport: Transport, taskId: string | null, after: string): Follower {
  return { transport, taskId, after, cursors: [], resumed: 0, problems: [] }
}

/** Watches through every cut until `isLast`, or until `until`, in `performance.now()` time. */
export async function follow(
  client: Client,
  follower: Follower,
  isLast: (event: Event) => boolean,
  until: number,
): Promise<void> {
  const { transport, taskId, cursors, problems } = follower
  const documents = taskId === null ? FEED : TASK
  while (performance.now() < until) {
    const after = cursors.at(-1) ?? follower.after
    const query = documents[follower.resumed % documents.length]!
    const variables = taskId === null ? { after } : { taskId, after }
    try {
      const events = client.watch<Record<string, Event>>(transport, query, variables)
      for await (const { data, errors } of events) {
        if (errors) problems.push(JSON.stringify(errors))
        for (const event of Object.values(data ?? {})) {
          if (event.kind === 'TaskSnapshot') {
            if (event.cursor !== after) problems.push(`resumed at ${event.cursor} instead of ${after}`)
            continue
          }
          cursors.push(event.cursor)
          if (isLast(event)) return
        }
      }
      problems.push('the log ended without a terminal event')
    } catch (error) {
      // The server sends errors as a list. Everything else is the connection.
      if (Array.isArray(error)) problems.push(JSON.stringify(error))
    }
    if (problems.length > 0) return
    follower.resumed++
    // In the next turn of the event loop: a client library may still be closing.
    await pause(0)
  }
  problems.push('it timed out')
}
