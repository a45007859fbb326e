// A class has the tasks with the same status, operation, model, providers, charge, warnings and mark. A project has few,
// so that a list by any of these values is a few ranges of an index.
import { and, eq, inArray, sql, type AnyColumn, type SQL } from 'drizzle-orm'
import { isFinished } from '../../domain.ts'
import type { Queries } from '../connection/database.ts'
import { isOneOf } from '../connection/ranges.ts'
import { type TaskFilter } from './filter.ts'

/** An end within it after the creation bounds the creation. As in the view `task_class_values`. */
export const LONG_MS = 3_600_000

export interface TaskClass {
  id: number
  isLong: boolean
}

/** Whether the filter has a value of classes. */
export function isByClass(filter: TaskFilter): boolean {
  const { statuses, operation, models, providers, charged, hasWarnings, favorite } = filter
  return [statuses, operation, models, providers, charged, hasWarnings, favorite].some(
    (value) => value !== undefined,
  )
}

/** `isByEnd`: only of finished tasks. */
export async function findClasses(
  q: Queries,
  projectId: string,
  filter: TaskFilter,
  isByEnd = false,
): Promise<TaskClass[]> {
  const { taskClasses: t } = q.tables
  const { statuses, operation, models, charged, hasWarnings, favorite, providers } = filter
  const rows = await q.sql
    .select({ id: t.id, status: t.status, isLong: t.isLong, providers: t.providers })
    .from(t)
    .where(
      and(
        eq(t.projectId, projectId),
        statuses && inArray(t.status, statuses),
        operation && eq(t.operation, operation),
        models && isOneOf(q, t.model, models),
        charged && inArray(t.charged, charged),
        hasWarnings === undefined ? undefined : eq(t.hasWarnings, hasWarnings),
        favorite === undefined ? undefined : eq(t.favorite, favorite),
      ),
    )
  return rows.filter(
    (row) =>
      (!isByEnd || isFinished(row.status)) &&
      (providers?.some((name) => row.providers.includes(name)) ?? true),
  )
}

/** A time of the task if it is of one of the classes, else null. Not a join, for which PostgreSQL may read all tasks. */
export function timeInClasses(
  q: Queries,
  classes: readonly TaskClass[],
  column: AnyColumn,
  taskId: AnyColumn,
): SQL {
  const { classTasks } = q.tables
  const isOfTask = and(eq(classTasks.taskId, taskId), isOneOf(q, classTasks.classId, idsOf(classes)))
  return sql`(select ${column} from ${classTasks} where ${isOfTask})`
}

export function idsOf(classes: readonly TaskClass[]): number[] {
  return classes.map(({ id }) => id)
}
