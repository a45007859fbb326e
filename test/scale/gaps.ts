// What viewers were told, laid beside what the log holds.
import { join } from 'node:path'
import { openDirectoryStore } from '../../src/assets/directory.ts'
import { openDatabase } from '../../src/db/open.ts'
import { encodeCursor } from '../../src/engine/events/cursor.ts'
import { createLog } from '../../src/log.ts'
import type { Place } from '../support/database.ts'
import { checkInvariants } from '../support/invariants.ts'
import type { Follower } from './follow.ts'

export interface Logs {
  /** Every cursor of the project's feed, in order, from its beginning. */
  feed: string[]
  /** The same of each task. */
  tasks: Map<string, string[]>
  /** Each sentence that must always hold and does not. */
  violated: string[]
}

/** Reads them out of the database, once every gateway is closed. */
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
      violated: await checkInvariants(place, await openDirectoryStore(join(place.dataDir, 'assets'))),
    }
  } finally {
    await db.close()
  }
}

/** What a viewer missed, was told twice, out of order, or that never was, in sentences. */
export function findGaps(follower: Follower, logs: Logs): string[] {
  const { transport, taskId, after, cursors, complaints } = follower
  const who = `${taskId ?? 'the feed'} over ${transport}`
  const log = taskId === null ? logs.feed : (logs.tasks.get(taskId) ?? [])
  const due = log.slice(log.indexOf(after) + 1)
  const told = new Set(cursors)
  const missed = due.filter((cursor) => !told.has(cursor)).length
  const strange = [...told.difference(new Set(due))].length
  const isInOrder = cursors.every((cursor, i) => cursor === due[i])
  return [
    ...complaints.map((complaint) => `${who}: ${complaint}`),
    ...(missed > 0 ? [`${who}: ${missed} of ${due.length} events were not told`] : []),
    ...(cursors.length > told.size ? [`${who}: ${cursors.length - told.size} events were told twice`] : []),
    ...(strange > 0 ? [`${who}: ${strange} events are not in the log`] : []),
    ...(isInOrder || missed > 0 || cursors.length > told.size || strange > 0
      ? []
      : [`${who}: told in another order`]),
  ]
}
