import { and, eq, gte, inArray, isNotNull, lt, sql } from 'drizzle-orm'
import type { Queries } from '../connection/database.ts'
import type { AttemptRow } from '../tables/tables.ts'

export type BillableAttempt = Pick<AttemptRow, keyof ReturnType<typeof columnsOf>>

/** An attempt that waited longer is found by its ids only. */
const MAX_QUEUED_MS = 7 * 86_400_000

/** The event loop continues between two. */
const PAGE = 5_000

/** `from` inclusive, `to` exclusive. One query per project: their index begins with it. */
export async function listSentAttempts(
  q: Queries,
  {
    projectIds,
    provider,
    from,
    to,
  }: { projectIds: readonly string[]; provider: string; from: number; to: number },
): Promise<BillableAttempt[]> {
  const { attempts } = q.tables
  const found: BillableAttempt[] = []
  for (const id of projectIds) {
    const isIncluded = and(
      eq(attempts.projectId, id),
      eq(attempts.provider, provider),
      gte(attempts.createdAt, from - MAX_QUEUED_MS),
      lt(attempts.createdAt, to),
      isNotNull(attempts.sentAt),
      gte(attempts.sentAt, from),
      lt(attempts.sentAt, to),
    )
    for (let last: BillableAttempt | undefined; ;) {
      const isAfter = last && sql`(${attempts.createdAt}, ${attempts.id}) > (${last.createdAt}, ${last.id})`
      const page = await q.sql
        .select(columnsOf(q))
        .from(attempts)
        .where(and(isIncluded, isAfter))
        .orderBy(attempts.createdAt, attempts.id)
        .limit(PAGE)
      found.push(...page)
      last = page.at(-1)
      if (page.length < PAGE) break
    }
  }
  return found
}

/** PostgreSQL and SQLite accept more than 30,000 parameters. */
const MAX_IDS = 5_000

export async function listAttemptsByIds(
  q: Queries,
  provider: string,
  column: 'id' | 'remoteId',
  ids: readonly string[],
): Promise<BillableAttempt[]> {
  const { attempts } = q.tables
  const found: BillableAttempt[] = []
  for (let at = 0; at < ids.length; at += MAX_IDS) {
    const isListed = inArray(attempts[column], ids.slice(at, at + MAX_IDS))
    const isIncluded = and(eq(attempts.provider, provider), isListed)
    found.push(...(await q.sql.select(columnsOf(q)).from(attempts).where(isIncluded)))
  }
  return found
}

function columnsOf({ tables: { attempts } }: Queries) {
  return {
    id: attempts.id,
    projectId: attempts.projectId,
    taskId: attempts.taskId,
    state: attempts.state,
    charged: attempts.charged,
    costMicros: attempts.costMicros,
    estimatedMicros: attempts.estimatedMicros,
    heldMicros: attempts.heldMicros,
    chargePolicy: attempts.chargePolicy,
    providerRequestId: attempts.providerRequestId,
    remoteId: attempts.remoteId,
    createdAt: attempts.createdAt,
    sentAt: attempts.sentAt,
    finishedAt: attempts.finishedAt,
  }
}
