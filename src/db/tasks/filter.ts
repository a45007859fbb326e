import { and, eq, inArray, isNull, sql, type AnyColumn, type SQL } from 'drizzle-orm'
import type { Charged, Operation, TaskStatus } from '../../domain.ts'
import type { Queries } from '../connection/database.ts'
import type { TaskRow } from '../tables/tables.ts'
import { hasWords, type SearchWord } from './words.ts'

/** Absent fields do not restrict; an empty list matches nothing. */
export interface TaskFilter {
  statuses?: TaskStatus[] | undefined
  operation?: Operation | undefined
  models?: string[] | undefined
  /** Of its attempts. */
  providers?: string[] | undefined
  /** Inclusive. */
  createdFrom?: number | undefined
  /** Exclusive. */
  createdTo?: number | undefined
  /** All of them. */
  search?: SearchWord[] | undefined
  apiKeyIds?: string[] | undefined
  users?: string[] | undefined
  /** All of them. */
  metadata?: { key: string; value: string }[] | undefined
  charged?: Charged[] | undefined
  hasWarnings?: boolean | undefined
  favorite?: boolean | undefined
}

/** One label of each group must be on the task. */
export function labelGroups(filter: TaskFilter): string[][] {
  const { metadata = [], users, apiKeyIds, providers, hasWarnings, charged, favorite, operation } = filter
  const groups = [
    ...metadata.map(({ key, value }) => [`metadata:${key}=${value}`]),
    favorite ? [FAVORITE_LABEL] : undefined,
    users?.map((user) => `user:${user}`),
    apiKeyIds?.map((id) => `key:${id}`),
    providers?.map((name) => `provider:${name}`),
    hasWarnings === undefined ? undefined : [`warnings:${hasWarnings ? 1 : 0}`],
    charged?.map((value) => `charged:${value}`),
    operation && [`operation:${operation}`],
  ]
  return groups.filter((group) => group !== undefined)
}

/** Only favorites have one, because most tasks are none. */
export const FAVORITE_LABEL = 'favorite:1'

/** That do not depend on its attempts. */
export function labelsOfRequest({ apiKeyId, operation, request: { user, metadata } }: TaskRow): string[] {
  return [
    `operation:${operation}`,
    ...(apiKeyId === null ? [] : [`key:${apiKeyId}`]),
    ...(user === null ? [] : [`user:${user}`]),
    ...Object.entries(metadata).map(([key, value]) => `metadata:${key}=${value}`),
  ]
}

/** `groups`: by default all labels of the filter. */
export function matches(
  q: Queries,
  projectId: string,
  filter: TaskFilter,
  groups: string[][] = labelGroups(filter),
): SQL | undefined {
  const { tasks } = q.tables
  const { statuses, models } = filter
  return and(
    eq(tasks.projectId, projectId),
    isNull(tasks.deletedAt),
    statuses && inArray(tasks.status, statuses),
    models && inArray(tasks.model, models),
    filter.favorite === false ? eq(tasks.favorite, false) : undefined,
    isCreated(tasks.createdAt, filter),
    ...groups.map((labels) => hasLabel(q, projectId, labels, tasks.createdAt, tasks.id)),
  )
}

/**
 * Whether a task has one of the labels. Not EXISTS: PostgreSQL would join all tasks with the label instead of looking
 * one up.
 */
export function hasLabel(
  { tables: { taskLabels } }: Queries,
  projectId: string,
  labels: string[],
  createdAt: AnyColumn,
  taskId: AnyColumn,
): SQL {
  if (labels.length === 0) return sql`false`
  const list = sql.join(
    labels.map((label) => sql`${label}`),
    sql`, `,
  )
  const isOfTask = sql`own.created_at = ${createdAt} and own.task_id = ${taskId}`
  return sql`(select 1 from ${taskLabels} as own where own.project_id = ${projectId} and own.label in (${list}) and ${isOfTask} limit 1) is not null`
}

/** Not a join, for which PostgreSQL may read all such tasks. `groups`: by default all labels of the filter. */
export function isOfMatchingTask(
  q: Queries,
  projectId: string,
  taskId: AnyColumn,
  filter: TaskFilter,
  groups: string[][] = labelGroups(filter),
): SQL {
  const { tasks } = q.tables
  const isMatch = and(
    eq(tasks.id, taskId),
    matches(q, projectId, filter, groups),
    isFound(q, projectId, filter),
  )
  return sql`(select 1 from ${tasks} where ${isMatch} limit 1) is not null`
}

export function isFound(q: Queries, projectId: string, { search }: TaskFilter): SQL | undefined {
  if (search === undefined) return undefined
  const { tasks, taskWords } = q.tables
  const index = q.dialect === 'sqlite' ? sql`cross join task_words_index` : sql``
  const isEntry = q.dialect === 'sqlite' ? sql`task_words_index.rowid = ${taskWords.seq} and ` : sql``
  const isOfTask = sql`${taskWords.taskId} = ${tasks.id}`
  return sql`exists (select 1 from ${taskWords} ${index} where ${isOfTask} and ${isEntry}${hasWords(q, projectId, search)})`
}

export function isCreated(
  createdAt: AnyColumn | SQL,
  { createdFrom, createdTo }: TaskFilter,
  valueOf: (at: number) => number | SQL = (at) => at,
): SQL | undefined {
  return and(
    createdFrom === undefined ? undefined : sql`${createdAt} >= ${valueOf(createdFrom)}`,
    createdTo === undefined ? undefined : sql`${createdAt} < ${valueOf(createdTo)}`,
  )
}
