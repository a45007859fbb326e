import { and, eq, isNull, sql, type AnyColumn, type SQL } from 'drizzle-orm'
import type { Charged, Operation, TaskStatus } from '../../domain.ts'
import type { Queries } from '../connection/database.ts'
import { isOneOf } from '../connection/ranges.ts'
import type { TaskRow } from '../tables/tables.ts'
import { isWorded, type SearchWord } from './words.ts'

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
export function labelGroups({ metadata = [], users, apiKeyIds }: TaskFilter): string[][] {
  const groups = [
    ...metadata.map(({ key, value }) => [`metadata:${key}=${value}`]),
    users?.map((user) => `user:${user}`),
    apiKeyIds?.map((id) => `key:${id}`),
  ]
  return groups.filter((group) => group !== undefined)
}

export function labelsOf({ apiKeyId, request: { user, metadata } }: Pick<TaskRow, 'apiKeyId' | 'request'>) {
  return [
    ...(apiKeyId === null ? [] : [`key:${apiKeyId}`]),
    ...(user === null ? [] : [`user:${user}`]),
    ...Object.entries(metadata).map(([key, value]) => `metadata:${key}=${value}`),
  ]
}

/** All but the values of classes. */
export function matches(q: Queries, projectId: string, filter: TaskFilter): SQL | undefined {
  const { tasks } = q.tables
  return and(
    eq(tasks.projectId, projectId),
    isNull(tasks.deletedAt),
    isCreated(tasks.createdAt, filter),
    hasText(q, projectId, filter, tasks.createdAt, tasks.id),
  )
}

/** Whether a task has the labels and words, looked up one by one. */
export function hasText(
  q: Queries,
  projectId: string,
  filter: TaskFilter,
  createdAt: AnyColumn,
  taskId: AnyColumn,
): SQL | undefined {
  const { users, apiKeyIds, search } = filter
  const single = labelGroups({
    ...filter,
    users: users?.length === 1 ? users : undefined,
    apiKeyIds: apiKeyIds?.length === 1 ? apiKeyIds : undefined,
  })
  const { tasks } = q.tables
  const user = q.dialect === 'sqlite' ? sql`one.request ->> '$.user'` : sql`one.request ->> 'user'`
  // A lookup for each of many labels takes longer than one of the task.
  const isOfTask = (column: SQL, values: string[] | undefined) =>
    values && values.length !== 1
      ? sql`(select 1 from ${tasks} as one where one.id = ${taskId} and ${isOneOf(q, column, values)}) is not null`
      : undefined
  return and(
    ...single.map((labels) => hasLabel(q, projectId, labels, createdAt, taskId)),
    isOfTask(user, users),
    isOfTask(sql`one.api_key_id`, apiKeyIds),
    search && isWorded(q, search, taskId),
  )
}

/** Not EXISTS: PostgreSQL would join all tasks with the label instead of looking one up. */
function hasLabel(
  q: Queries,
  projectId: string,
  labels: string[],
  createdAt: AnyColumn,
  taskId: AnyColumn,
): SQL {
  const isOfTask = sql`own.created_at = ${createdAt} and own.task_id = ${taskId}`
  return sql`(select 1 from ${q.tables.taskLabels} as own where own.project_id = ${projectId} and ${isOneOf(q, sql`own.label`, labels)} and ${isOfTask} limit 1) is not null`
}

export function isCreated(
  createdAt: AnyColumn | SQL,
  { createdFrom, createdTo }: Pick<TaskFilter, 'createdFrom' | 'createdTo'>,
  valueOf: (at: number) => number | SQL = (at) => at,
): SQL | undefined {
  return and(
    createdFrom === undefined ? undefined : sql`${createdAt} >= ${valueOf(createdFrom)}`,
    createdTo === undefined ? undefined : sql`${createdAt} < ${valueOf(createdTo)}`,
  )
}
