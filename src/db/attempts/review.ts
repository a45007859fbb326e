// Attempts whose outcome or cost an operator must settle.
import { and, eq, inArray, lt, lte, sql, type SQL } from 'drizzle-orm'
import type { TaskErrorCode } from '../../domain.ts'
import type { Queries } from '../connection/database.ts'
import { countRows, readRange, type PageRange } from '../connection/keyset.ts'
import { readRanges, readRows } from '../connection/ranges.ts'
import type { AttemptRow } from '../tables/tables.ts'
import { isEstimated, isUnknown, isUnpriced } from './unknown.ts'

export const REVIEW_REASONS = ['OUTCOME_UNKNOWN', 'COST_UNKNOWN', 'COST_ESTIMATED'] as const
export type ReviewReason = (typeof REVIEW_REASONS)[number]

export interface ReviewFilter {
  providers?: readonly string[] | undefined
  errorCodes?: readonly TaskErrorCode[] | undefined
  /** Ended, or of unknown outcome and sent, before this time. */
  before?: number | undefined
  /** Of the estimate, else of the held amount. */
  minMicros?: number | undefined
  maxMicros?: number | undefined
}

const INDEX_OF_PROVIDER = {
  OUTCOME_UNKNOWN: 'attempts_unknown_of_provider',
  COST_UNKNOWN: 'attempts_unpriced_of_provider',
  COST_ESTIMATED: 'attempts_estimated_of_provider',
} satisfies Record<ReviewReason, string>

/** Oldest first. */
export function listForReview(
  q: Queries,
  projectId: string,
  reason: ReviewReason,
  filter: ReviewFilter,
  range: PageRange,
): Promise<AttemptRow[]> {
  const { attempts } = q.tables
  const { providers, before, ...rest } = filter
  const isOfProject = eq(attempts.projectId, projectId)
  const [at, id] = [sinceOf(q, reason), attempts.id]
  const select = (isIncluded: SQL | undefined) => q.sql.select().from(attempts).where(isIncluded)
  if (!providers)
    return readRange(range, { at, id }, (isInRange, orderBy) =>
      select(and(isOfProject, isFor(q, reason, filter), isInRange))
        .orderBy(...orderBy)
        .limit(range.limit),
    )
  // SQLite would choose the index without the provider.
  const by = q.dialect === 'sqlite' ? sql` indexed by ${sql.raw(INDEX_OF_PROVIDER[reason])}` : sql``
  const ranges = {
    from: sql`${attempts}${by}`,
    key: attempts.provider,
    keys: providers,
    at,
    id,
    period: { to: before },
    isIn: and(isOfProject, isFor(q, reason, {})),
    rest: isFor(q, reason, rest),
  }
  return readRows(
    range,
    (left) => readRanges(q, ranges, false, left),
    (ids) => select(inArray(id, ids)),
  )
}

/** As `listForReview` without a range. */
export function countListed(
  q: Queries,
  projectId: string,
  reason: ReviewReason,
  filter: ReviewFilter,
): Promise<number> {
  const isListed = and(eq(q.tables.attempts.projectId, projectId), isFor(q, reason, filter))
  return countRows(q, q.tables.attempts, isListed)
}

export interface ReviewCount {
  provider: string
  reason: ReviewReason
  attempts: number
  /** Estimated, else held. */
  amountMicros: number
  /** Attempts without such an amount. */
  unpriced: number
  oldestAt: number
}

export async function countForReview(
  q: Queries,
  projectId: string,
  reasons: readonly ReviewReason[],
  filter: ReviewFilter,
): Promise<ReviewCount[]> {
  const { attempts } = q.tables
  const counts: ReviewCount[] = []
  for (const reason of reasons) {
    const rows = await q.sql
      .select({
        provider: attempts.provider,
        attempts: sql`count(*)`.mapWith(Number),
        amountMicros: sql`coalesce(sum(${amountOf(q)}), 0)`.mapWith(Number),
        unpriced: sql`sum(case when ${amountOf(q)} is null then 1 else 0 end)`.mapWith(Number),
        oldestAt: sql`min(${sinceOf(q, reason)})`.mapWith(Number),
      })
      .from(attempts)
      .where(and(eq(attempts.projectId, projectId), isFor(q, reason, filter)))
      .groupBy(attempts.provider)
      .orderBy(attempts.provider)
    counts.push(...rows.map((row) => ({ ...row, reason })))
  }
  return counts
}

/** Of all projects, in the order of their index. */
export async function listUnknownSince(
  q: Queries,
  of: {
    provider: string
    sentBefore: number
    after: Pick<AttemptRow, 'projectId' | 'sentAt' | 'id'> | undefined
    limit: number
  },
): Promise<AttemptRow[]> {
  const { attempts } = q.tables
  const { projectId, sentAt, id } = attempts
  const isIncluded = and(
    isUnknown(q),
    eq(attempts.provider, of.provider),
    lte(sentAt, of.sentBefore),
    of.after &&
      sql`(${projectId}, ${sentAt}, ${id}) > (${of.after.projectId}, ${of.after.sentAt}, ${of.after.id})`,
  )
  return q.sql.select().from(attempts).where(isIncluded).orderBy(projectId, sentAt, id).limit(of.limit)
}

function sinceOf({ tables: { attempts } }: Queries, reason: ReviewReason) {
  return reason === 'OUTCOME_UNKNOWN' ? attempts.sentAt : attempts.finishedAt
}

function isFor(
  q: Queries,
  reason: ReviewReason,
  { providers, errorCodes, before, minMicros, maxMicros }: ReviewFilter,
): SQL | undefined {
  const { attempts } = q.tables
  const conditions = { OUTCOME_UNKNOWN: isUnknown, COST_UNKNOWN: isUnpriced, COST_ESTIMATED: isEstimated }
  return and(
    conditions[reason](q),
    providers && inArray(attempts.provider, [...providers]),
    errorCodes && inArray(sql`${attempts.error} ->> 'code'`, [...errorCodes]),
    before === undefined ? undefined : lt(sinceOf(q, reason), before),
    minMicros === undefined ? undefined : sql`${amountOf(q)} >= ${minMicros}`,
    maxMicros === undefined ? undefined : sql`${amountOf(q)} <= ${maxMicros}`,
  )
}

function amountOf({ tables: { attempts } }: Queries): SQL {
  return sql`coalesce(${attempts.estimatedMicros}, ${attempts.heldMicros})`
}
