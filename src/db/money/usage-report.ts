// Days, quarter-hours and attempts: the three sources agree.
import { and, eq, gte, inArray, lt, sql, type SQL, type SQLWrapper } from 'drizzle-orm'
import type { Operation, TaskStatus } from '../../domain.ts'
import type { Queries } from '../connection/database.ts'
import type { Tables } from '../tables/tables.ts'
import { USAGE_COUNTS, type UsageCounts } from './usage.ts'

export const ROLLUP_KEYS = ['projectId', 'apiKeyId', 'provider', 'model'] as const
export const TASK_KEYS = ['user', 'operation', 'quality', 'size', 'status', 'metadata'] as const
export type UsageKey = (typeof ROLLUP_KEYS)[number] | (typeof TASK_KEYS)[number]

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

export interface UsageSlice {
  /** Null: all projects. */
  projectId: string | null
  from: number
  /** Exclusive. */
  to: number
  /** Groups in time, aligned to local time; null without. */
  bucket: { offsetMs: number; lengthMs: number } | null
  by: readonly UsageKey[]
  /** Label of METADATA. */
  metadataKey: string | null
  filter: UsageFilter
  /** Of groups. */
  limit: number
}

export interface UsageSum {
  /** Local start of its bucket as if it were UTC; null without buckets. */
  local: number | null
  keys: Partial<Record<UsageKey, string | null>>
  counts: UsageCounts
}

/** `from` and `to`: UTC midnights; keys among ROLLUP_KEYS. */
export function sumDays(q: Queries, slice: UsageSlice): Promise<UsageSum[]> {
  return sumRollup(q, 'usageDays', slice)
}

/** `from` and `to`: quarter-hours; keys among ROLLUP_KEYS. */
export function sumQuarterHours(q: Queries, slice: UsageSlice): Promise<UsageSum[]> {
  return sumRollup(q, 'usageQuarterHours', slice)
}

async function sumRollup(
  q: Queries,
  name: 'usageDays' | 'usageQuarterHours',
  slice: UsageSlice,
): Promise<UsageSum[]> {
  const table = q.tables[name]
  const groups = groupsOf(slice, table.startsAt, (key) => Reflect.get(table, key))
  const sums = USAGE_COUNTS.map((count) => [count, sql`sum(${table[count]})`.mapWith(Number)] as const)
  // All projects: one range of the key of usage_days.
  const isInScope = name === 'usageDays' && slice.projectId === null ? undefined : ofProject(q, table, slice)
  const rows = await q.sql
    .select({ ...groups, ...Object.fromEntries(sums) })
    .from(table)
    .where(and(isInScope, isIncluded(table, table.startsAt, slice)))
    .groupBy(...positionsOf(slice))
    .limit(slice.limit)
  return rows.map((row) => toSum(row, slice))
}

export async function sumAttempts(q: Queries, slice: UsageSlice): Promise<UsageSum[]> {
  const { attempts, tasks } = q.tables
  const { filter } = slice
  const ofTask = { ...taskColumns(q), metadata: label(q, slice.metadataKey) }
  const column = (key: UsageKey) => Reflect.get(key in ofTask ? ofTask : attempts, key)
  const groups = groupsOf(slice, attempts.createdAt, column)
  const sums = USAGE_COUNTS.map((count) => [count, sumOf(q, count)] as const)
  const rows = await q.sql
    .select({ ...groups, ...Object.fromEntries(sums) })
    .from(attempts)
    .innerJoin(tasks, eq(tasks.id, attempts.taskId))
    .where(
      and(
        ofProject(q, attempts, slice),
        isIncluded(attempts, attempts.createdAt, slice),
        filter.operations && inArray(tasks.operation, filter.operations),
        filter.statuses && inArray(tasks.status, filter.statuses),
        filter.users && inArray(ofTask.user, filter.users),
        filter.qualities && inArray(ofTask.quality, filter.qualities),
        filter.sizes && inArray(ofTask.size, filter.sizes),
        ...(filter.metadata ?? []).map(({ key, value }) => eq(label(q, key), value)),
      ),
    )
    .groupBy(...positionsOf(slice))
    .limit(slice.limit)
  return rows.map((row) => toSum(row, slice))
}

function isIncluded(
  table: Pick<Tables['attempts' | 'usageDays' | 'usageQuarterHours'], 'apiKeyId' | 'provider' | 'model'>,
  at: SQLWrapper,
  { from, to, filter: { apiKeyIds, providers, models } }: UsageSlice,
): SQL | undefined {
  return and(
    gte(at, from),
    lt(at, to),
    apiKeyIds && inArray(table.apiKeyId, apiKeyIds),
    providers && inArray(table.provider, providers),
    models && inArray(table.model, models),
  )
}

/** Resolved by the provider, else requested. */
function taskColumns({ tables: { attempts, tasks } }: Queries) {
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

function label({ tables: { tasks } }: Queries, key: string | null): SQL {
  return sql`${tasks.request} -> 'metadata' ->> ${key}`
}

const one = (when: SQL) => sql`case when ${when} then 1 else 0 end`

/** As `addUsage` adds to the rollups. */
function sumOf({ tables: { attempts: a } }: Queries, count: keyof UsageCounts): SQL<number> {
  const settled = sql`${a.charged} <> 'NO' and ${a.state} in ('SUCCEEDED', 'FAILED', 'UNKNOWN')`
  const ended = sql`${a.state} in ('SUCCEEDED', 'REJECTED', 'NOT_SENT', 'FAILED', 'CANCELED')`
  const special: Partial<Record<keyof UsageCounts, SQL>> = {
    tasks: one(sql`${a.number} = 1`),
    attempts: sql`1`,
    unknownCosts: one(sql`${settled} and ${a.costMicros} is null and ${a.estimatedMicros} is null`),
    estimatedCosts: one(sql`${a.estimatedMicros} is not null`),
    unknownUsages: one(sql`${settled} and ${a.usageSource} = 'UNKNOWN'`),
    heldMicros: sql`case when ${a.costMicros} is null and ${a.estimatedMicros} is null and not (${ended} and ${a.charged} = 'NO') then ${a.heldMicros} end`,
  }
  return sql<number>`coalesce(sum(${special[count] ?? Reflect.get(a, count)}), 0)`.mapWith(Number)
}

function ofProject(
  { sql: from, tables: { projects } }: Queries,
  table: { projectId: Parameters<typeof eq>[0] },
  { projectId }: UsageSlice,
): SQL {
  // Each project is its own range in the index.
  return projectId === null
    ? inArray(table.projectId, from.select({ id: projects.id }).from(projects))
    : eq(table.projectId, projectId)
}

// SQLite binds numbers as floats: `/` would not be an integer division.
const whole = (ms: number) => sql`cast(${ms} as bigint)`

function groupsOf(slice: UsageSlice, at: unknown, column: (key: UsageKey) => unknown): Record<string, SQL> {
  const { bucket, by } = slice
  const keys = by.map((key) => [key, sql`${column(key)}`] as const)
  if (!bucket) return Object.fromEntries(keys)
  const number = sql`(${at} + ${whole(bucket.offsetMs)}) / ${whole(bucket.lengthMs)}`.mapWith(Number)
  return { bucket: number, ...Object.fromEntries(keys) }
}

/** PostgreSQL does not see two equal parameters as one expression. */
function positionsOf({ bucket, by }: UsageSlice): SQL[] {
  const count = by.length + (bucket ? 1 : 0)
  return Array.from({ length: count }, (_, i) => sql.raw(String(i + 1)))
}

function toSum(row: Record<string, unknown>, { bucket, by }: UsageSlice): UsageSum {
  // A rollup has '' for no API key.
  const text = (key: UsageKey) => (typeof row[key] === 'string' && row[key] !== '' ? row[key] : null)
  return {
    local: bucket ? Number(row['bucket']) * bucket.lengthMs : null,
    keys: Object.fromEntries(by.map((key) => [key, text(key)])),
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- one entry for each count
    counts: Object.fromEntries(USAGE_COUNTS.map((count) => [count, Number(row[count])])) as UsageCounts,
  }
}
