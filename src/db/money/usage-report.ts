// The sums that a report is made of, over one stretch of time: from the counts by day or by quarter of an hour, or from
// the attempts themselves. All three tell the same of the same time.
import { and, eq, gte, inArray, lt, sql, type SQL } from 'drizzle-orm'
import type { Operation, TaskStatus } from '../../domain.ts'
import type { Queries } from '../connection/database.ts'
import { COUNTS, type Counts } from './usage.ts'

/** By what else than time can be summed up from every source, and what only attempts and their tasks tell. */
export const COUNTED_KEYS = ['projectId', 'apiKeyId', 'provider', 'model'] as const
export const TOLD_KEYS = ['user', 'operation', 'quality', 'size', 'status', 'metadata'] as const
export type UsageKey = (typeof COUNTED_KEYS)[number] | (typeof TOLD_KEYS)[number]

/** Whose usage; what is left out does not restrict, and all that is given must hold. */
export interface UsageFilter {
  apiKeyIds?: string[]
  providers?: string[]
  models?: string[]
  users?: string[]
  operations?: Operation[]
  qualities?: string[]
  sizes?: string[]
  statuses?: TaskStatus[]
  metadata?: { key: string; value: string }[]
}

export interface Slice {
  /** Null for all projects. */
  projectId: string | null
  from: number
  /** The first moment that is not in it. */
  to: number
  /** How far local time is ahead of UTC in it, and into pieces of which length it is cut; null for one piece. */
  bucket: { offsetMs: number; lengthMs: number } | null
  by: readonly UsageKey[]
  /** The label that METADATA is about; null without it. */
  metadataKey: string | null
  filter: UsageFilter
  /** At most so many groups. */
  limit: number
}

/** One group. */
export interface Sum {
  /** The local time at which its piece begins, written as if it were UTC; null without pieces. */
  local: number | null
  keys: Partial<Record<UsageKey, string | null>>
  counts: Counts
}

/** From the counts by day: `from` and `to` are midnights of UTC, and what it asks is among COUNTED_KEYS. */
export function sumDays(q: Queries, slice: Slice): Promise<Sum[]> {
  return sumCounts(q, 'usageDays', slice)
}

/** From the counts by quarter: `from` and `to` are whole quarters, and what it asks is among COUNTED_KEYS. */
export function sumQuarters(q: Queries, slice: Slice): Promise<Sum[]> {
  return sumCounts(q, 'usageQuarters', slice)
}

async function sumCounts(q: Queries, name: 'usageDays' | 'usageQuarters', slice: Slice): Promise<Sum[]> {
  const table = q.tables[name]
  const { filter } = slice
  const sums = COUNTS.map((count) => [count, sql<number>`sum(${table[count]})`.mapWith(Number)] as const)
  // The days' key begins with the day, so that all projects are one stretch of it.
  const whose = name === 'usageDays' && slice.projectId === null ? undefined : ofProject(q, table, slice)
  const rows = await q.sql
    .select({
      ...groupsOf(slice, table.startsAt, (key) => Reflect.get(table, key)),
      ...Object.fromEntries(sums),
    })
    .from(table)
    .where(
      and(
        whose,
        gte(table.startsAt, slice.from),
        lt(table.startsAt, slice.to),
        filter.apiKeyIds && inArray(table.apiKeyId, filter.apiKeyIds),
        filter.providers && inArray(table.provider, filter.providers),
        filter.models && inArray(table.model, filter.models),
      ),
    )
    .groupBy(...placesOf(slice))
    .limit(slice.limit)
  return rows.map((row) => toSum(row, slice))
}

/** From the attempts and their tasks: at any moments, by anything. */
export async function sumAttempts(q: Queries, slice: Slice): Promise<Sum[]> {
  const { attempts, tasks } = q.tables
  const { filter } = slice
  const told = toldOf(q)
  const all = { ...told, metadata: label(q, slice.metadataKey) }
  const sums = COUNTS.map((count) => [count, countedIn(q, count)] as const)
  const rows = await q.sql
    .select({
      ...groupsOf(slice, attempts.createdAt, (key) => Reflect.get(key in all ? all : attempts, key)),
      ...Object.fromEntries(sums),
    })
    .from(attempts)
    .innerJoin(tasks, eq(tasks.id, attempts.taskId))
    .where(
      and(
        ofProject(q, attempts, slice),
        gte(attempts.createdAt, slice.from),
        lt(attempts.createdAt, slice.to),
        filter.apiKeyIds && inArray(attempts.apiKeyId, filter.apiKeyIds),
        filter.providers && inArray(attempts.provider, filter.providers),
        filter.models && inArray(attempts.model, filter.models),
        filter.operations && inArray(tasks.operation, filter.operations),
        filter.statuses && inArray(tasks.status, filter.statuses),
        filter.users && inArray(told.user, filter.users),
        filter.qualities && inArray(told.quality, filter.qualities),
        filter.sizes && inArray(told.size, filter.sizes),
        ...(filter.metadata ?? []).map(({ key, value }) => eq(label(q, key), value)),
      ),
    )
    .groupBy(...placesOf(slice))
    .limit(slice.limit)
  return rows.map((row) => toSum(row, slice))
}

/** What a task was asked with, or how the provider resolved it. */
function toldOf({ tables: { attempts, tasks } }: Queries) {
  const resolved = (name: string) =>
    sql`coalesce(${attempts.resolved} ->> ${sql.raw(`'${name}'`)}, ${tasks.request} ->> ${sql.raw(`'${name}'`)})`
  return {
    operation: sql`${tasks.operation}`,
    status: sql`${tasks.status}`,
    user: sql`${tasks.request} ->> 'user'`,
    quality: resolved('quality'),
    size: resolved('size'),
  }
}

/** A label of the caller's own. */
function label({ tables: { tasks } }: Queries, key: string | null): SQL {
  return sql`${tasks.request} -> 'metadata' ->> ${key}`
}

const one = (when: SQL) => sql`case when ${when} then 1 else 0 end`

/** What one count of usage sums up of attempts: the same that is added when one changes. */
function countedIn({ tables: { attempts: a } }: Queries, count: keyof Counts): SQL<number> {
  // What is possibly charged and has ended, or stands in doubt.
  const settled = sql`${a.charged} <> 'NO' and ${a.state} in ('SUCCEEDED', 'FAILED', 'UNKNOWN')`
  const ended = sql`${a.state} in ('SUCCEEDED', 'REJECTED', 'NOT_SENT', 'FAILED', 'CANCELED')`
  const special: Partial<Record<keyof Counts, SQL>> = {
    tasks: one(sql`${a.number} = 1`),
    attempts: sql`1`,
    unknownCosts: one(sql`${settled} and ${a.costMicros} is null`),
    unknownUsages: one(sql`${settled} and ${a.usageSource} = 'UNKNOWN'`),
    heldMicros: sql`case when ${a.costMicros} is null and not (${ended} and ${a.charged} = 'NO') then ${a.heldMicros} end`,
  }
  return sql<number>`coalesce(sum(${special[count] ?? Reflect.get(a, count)}), 0)`.mapWith(Number)
}

function ofProject(
  { sql: from, tables: { projects } }: Queries,
  table: { projectId: Parameters<typeof eq>[0] },
  { projectId }: Slice,
): SQL {
  // A list, because each project is a stretch of its own in the index.
  return projectId === null
    ? inArray(table.projectId, from.select({ id: projects.id }).from(projects))
    : eq(table.projectId, projectId)
}

// SQLite is handed every number as a fraction, by which it would not divide without a rest.
const whole = (ms: number) => sql`cast(${ms} as bigint)`

function groupsOf(slice: Slice, at: unknown, column: (key: UsageKey) => unknown): Record<string, SQL> {
  const { bucket, by } = slice
  const keys = by.map((key) => [key, sql`${column(key)}`] as const)
  if (!bucket) return Object.fromEntries(keys)
  const piece = sql`(${at} + ${whole(bucket.offsetMs)}) / ${whole(bucket.lengthMs)}`.mapWith(Number)
  return { piece, ...Object.fromEntries(keys) }
}

/** The groups by their place in the list, because a parameter is never the same as itself to PostgreSQL. */
function placesOf({ bucket, by }: Slice): SQL[] {
  const places = by.length + (bucket ? 1 : 0)
  return Array.from({ length: places }, (_, nth) => sql.raw(String(nth + 1)))
}

function toSum(row: Record<string, unknown>, { bucket, by }: Slice): Sum {
  // A rollup's '' is no key.
  const text = (key: UsageKey) => (typeof row[key] === 'string' && row[key] !== '' ? row[key] : null)
  return {
    local: bucket ? Number(row['piece']) * bucket.lengthMs : null,
    keys: Object.fromEntries(by.map((key) => [key, text(key)])),
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- one entry for each count
    counts: Object.fromEntries(COUNTS.map((count) => [count, Number(row[count])])) as Counts,
  }
}
