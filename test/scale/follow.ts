// One viewer who is cut off again and again, and each time goes on from the last cursor it was told.
import { setTimeout as pause } from 'node:timers/promises'
import type { Client, Transport } from '../support/client.ts'

const TASK = `subscription ($taskId: ID!, $after: String) {
  taskEvents(taskId: $taskId, after: $after) { kind: __typename cursor task { id status } }
}`
const FEED = `subscription ($after: String) {
  taskFeed(after: $after) { kind: __typename cursor task { id status } }
}`

interface Event {
  kind: string
  cursor: string
  task: { id: string; status: string }
}

export interface Follower {
  transport: Transport
  /** Null follows the whole project. */
  taskId: string | null
  /** Where it begins. */
  after: string
  /** The cursor of every event it was told, in order; snapshots of a resumed log are none. */
  cursors: string[]
  /** How often it came back after it was cut off. */
  resumed: number
  /** What it was told that no viewer should be, in sentences. */
  complaints: string[]
}

export function newFollower(transport: Transport, taskId: string | null, after: string): Follower {
  return { transport, taskId, after, cursors: [], resumed: 0, complaints: [] }
}

/** Watches until an event is the last one, through every cut; gives up at `until`, a moment of the event loop's clock. */
export async function follow(
  client: Client,
  follower: Follower,
  isLast: (event: Event) => boolean,
  until: number,
): Promise<void> {
  const { transport, taskId, cursors, complaints } = follower
  const query = taskId === null ? FEED : TASK
  while (performance.now() < until) {
    const after = cursors.at(-1) ?? follower.after
    const variables = taskId === null ? { after } : { taskId, after }
    try {
      const events = client.watch<Record<string, Event>>(transport, query, variables)
      for await (const { data, errors } of events) {
        if (errors) complaints.push(JSON.stringify(errors))
        for (const event of Object.values(data ?? {})) {
          if (event.kind === 'TaskSnapshot') {
            if (event.cursor !== after) complaints.push(`resumed at ${event.cursor} instead of ${after}`)
            continue
          }
          cursors.push(event.cursor)
          if (isLast(event)) return
        }
      }
      complaints.push('the log ended without an end')
    } catch (error) {
      // What the server says comes as a list of errors; all else is the line.
      if (Array.isArray(error)) complaints.push(JSON.stringify(error))
    }
    if (complaints.length > 0) return
    follower.resumed++
    // In the next turn: a client library may still be letting go of what broke.
    await pause(0)
  }
  complaints.push('it waited in vain')
}
