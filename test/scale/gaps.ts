// Compares what viewers received with the log.
import { openAssetStore } from '../../src/assets/open.ts'
import { openDatabase } from '../../src/db/open.ts'
import { encodeCursor } from '../../src/engine/events/cursor.ts'
import { createLog } from '../../src/log.ts'
import type { Place } from '../support/database.ts'
import { checkInvariants } from '../support/invariants.ts'
import type { Follower } from './follow.ts'

export interface Logs {
  /** All cursors of the project's feed, in order. */
  feed: string[]
  /** By task. */
  tasks: Map<string, string[]>
  /** Violated invariants. */
  violated: string[]
}

/** Reads the logs after every gateway is closed. */
export async function readLogs(place: Place): Promise<Logs> {
  const db = await openDatabase({ ...place, onWakeUp: () => {}, log: createLog('silent') })
  try {
    const { sql, tables } = db.read
    const rows = await sql.select().from(tables.events)
    const byTask = Map.groupBy(rows, ({ taskId }) => taskId)
    return {
      feed: rows
        .toSorted((a, b) => a.feedSeq - b.feedSeq)
        .map(({ projectId, feedSeq }) => encodeCursor('feed', projectId, feedSeq)),
      tasks: new Map(
        [...byTask].map(([id, own]) => [
          id,
          own.toSorted((a, b) => a.seq - b.seq).map(({ seq }) => encodeCursor('task', id, seq)),
        ]),
      ),
      violated: await checkInvariants(place, await openAssetStore({ assetsUrl: null, ...place })),
    }
  } finally {
    await db.close()
  }
}

/** Missed, repeated, reordered and unknown events of a viewer, in sentences. */
export function findGaps(follower: Follower, logs: Logs): string[] {
  const { transport, taskId, after, cursors, problems } = follower
  const who = `${taskId ?? 'the feed'} over ${transport}`
  const log = taskId === null ? logs.feed : (logs.tasks.get(taskId) ?? [])
  const due = log.slice(log.indexOf(after) + 1)
  const received = new Set(cursors)
  const missed = due.filter((cursor) => !received.has(cursor)).length
  const unknown = [...received.difference(new Set(due))].length
  const isInOrder = cursors.every((cursor, i) => cursor === due[i])
  return [
    ...problems.map((problem) => `${who}: ${problem}`),
    ...(missed > 0 ? [`${who}: ${missed} of ${due.length} events were missed`] : []),
    ...(cursors.length > received.size
      ? [`${who}: ${cursors.length - received.size} events were received twice`]
      : []),
    ...(unknown > 0 ? [`${who}: ${unknown} events are not in the log`] : []),
    ...(isInOrder || missed > 0 || cursors.length > received.size || unknown > 0
      ? []
      : [`${who}: received in another order`]),
  ]
}
