import { and, eq, inArray, isNotNull, isNull, lt, lte, sql, type SQL } from 'drizzle-orm'
import { QUEUE_KEY } from './attempts.ts'
import type { Queries, Transaction } from '../connection/database.ts'
import type { AttemptRow } from '../tables/tables.ts'

/** A literal: SQLite does not use a partial index for a parameter. */
export function isUnknown({ tables: { attempts } }: Queries): SQL {
  return sql`${attempts.state} = 'UNKNOWN'`
}

/** As the condition of its index. */
export function isUnpriced({ tables: { attempts } }: Queries): SQL {
  return sql`${attempts.finishedAt} is not null and ${attempts.costMicros} is null and ${attempts.estimatedMicros} is null and ${attempts.charged} <> 'NO'`
}

/** As the condition of its index. */
export function isEstimated({ tables: { attempts } }: Queries): SQL {
  return sql`${attempts.estimatedMicros} is not null`
}

interface Lookups {
  /** That support the lookup. */
  providers: readonly string[]
  maxLookups: number
  limit: number
}

/** To look up at their provider by our id. `missingChecks` counts the lookups. */
export async function listDueLookups(q: Queries, lookups: Lookups): Promise<AttemptRow[]> {
  return listDue(q, isNull(q.tables.attempts.remoteId), lookups)
}

/** To check once more by remote id. `missingChecks` counts the lookups. */
export async function listDueLateChecks(q: Queries, lookups: Lookups): Promise<AttemptRow[]> {
  return listDue(q, isNotNull(q.tables.attempts.remoteId), lookups)
}

function listDue(q: Queries, which: SQL, { providers, maxLookups, limit }: Lookups): Promise<AttemptRow[]> {
  const { attempts } = q.tables
  const isDue = and(
    isUnknown(q),
    which,
    inArray(attempts.provider, providers),
    lt(attempts.missingChecks, maxLookups),
    lte(attempts.runAfter, q.now),
  )
  return q.sql.select().from(attempts).where(isDue).orderBy(attempts.runAfter).limit(limit)
}

/** False when another process has claimed it. The next one is due in `nextInMs`. */
export async function claimLookup(
  q: Transaction,
  { id, missingChecks }: Pick<AttemptRow, 'id' | 'missingChecks'>,
  nextInMs: number,
): Promise<boolean> {
  const { attempts } = q.tables
  const isUnclaimed = and(eq(attempts.id, id), eq(attempts.missingChecks, missingChecks), isUnknown(q))
  const claimed = await q.sql
    .update(attempts)
    .set({ missingChecks: missingChecks + 1, runAfter: sql`${q.now} + ${nextInMs}` })
    .where(isUnclaimed)
    .returning({ id: attempts.id })
  return claimed.length > 0
}

/**
 * Makes waiting attempts due whose predecessor gets no more evidence: those of a part, or those after an
 * attempt of unknown outcome held in a data folder. Returns their number.
 */
export async function releaseSuccessors(
  q: Transaction,
  of: Pick<AttemptRow, 'taskId' | 'part'> | { heldIn: string },
): Promise<number> {
  const { attempts } = q.tables
  const isOf =
    'heldIn' in of
      ? sql`earlier.data_folder_id = ${of.heldIn} and earlier.state = 'UNKNOWN'`
      : sql`waiting.task_id = ${of.taskId} and waiting.part = ${of.part}`
  const isSuccessor = sql`earlier.task_id = waiting.task_id and earlier.part = waiting.part and earlier.number < waiting.number`
  const rows = await q.sql
    .selectDistinct({ id: sql<string>`id` })
    .from(
      sql`(select waiting.id as id from ${attempts} as waiting join ${attempts} as earlier on ${isSuccessor} where waiting.state in ('PLANNED', 'ACCEPTED') and waiting.state = 'PLANNED' and waiting.run_after > ${q.now} and ${isOf}) as found`,
    )
  if (rows.length === 0) return 0
  const ids = rows.map(({ id }) => id)
  const isWaiting = and(inArray(attempts.id, ids), eq(attempts.state, 'PLANNED'))
  const released = await q.sql
    .update(attempts)
    .set({ runAfter: q.now })
    .where(isWaiting)
    .returning({ id: attempts.id })
  if (released.length > 0) q.wakeUp(QUEUE_KEY)
  return released.length
}
