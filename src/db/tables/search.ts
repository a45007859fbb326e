import { sql } from 'drizzle-orm'
import type { AnyPgColumn } from 'drizzle-orm/pg-core'
import { CHARGES, OPERATIONS, TASK_STATUSES } from '../../domain.ts'
import type { Kit } from './kit.ts'

/** Triggers keep labels, classes and inputs, so that no writer of tasks or attempts can miss one. */
export function createSearchTables(kit: Kit, { tasks }: Record<'tasks', { id: AnyPgColumn }>) {
  const { table, text, reference, word, integer, bigint, boolean, json, words } = kit
  const { index, uniqueIndex, primaryKey } = kit

  /** Values of a task that many others lack, such as `user:42`, in the order of the list. */
  const taskLabels = table(
    'task_labels',
    {
      projectId: text('project_id').notNull(),
      label: text('label').notNull(),
      /** Of the task. */
      createdAt: bigint('created_at').notNull(),
      taskId: text('task_id').notNull(),
    },
    (t) => [primaryKey({ columns: [t.projectId, t.label, t.createdAt, t.taskId] })],
  )

  /** SQLite's full-text index is the virtual table `task_words_index`. */
  const taskWords = table(
    'task_words',
    {
      /** Orders as the time and id of the task. */
      seq: bigint('seq').primaryKey(),
      taskId: reference('task_id', () => tasks.id),
      /** With the project and the immutable labels, so that the index combines them. */
      words: words('words').notNull(),
    },
    (t) => [uniqueIndex('task_words_task').on(t.taskId), ...fullText(t.words)],
  )

  /** Tasks from before there were words, which the next start stores. */
  const tasksWithoutWords = table('tasks_without_words', { taskId: text('task_id').primaryKey() })

  /** Combinations of the values that few tasks differ in. A project has few of them. */
  const taskClasses = table(
    'task_classes',
    {
      id: integer('id').primaryKey(),
      projectId: text('project_id').notNull(),
      status: word('status', TASK_STATUSES).notNull(),
      operation: word('operation', OPERATIONS).notNull(),
      model: text('model').notNull(),
      /** Of its attempts, sorted. */
      providers: json('providers').$type<string[]>().notNull(),
      /** Empty without attempts. */
      charged: word('charged', [...CHARGES, '']).notNull(),
      hasWarnings: boolean('has_warnings').notNull(),
      favorite: boolean('favorite').notNull(),
      /** Whether the end is not within `LONG_MS` after the creation. */
      isLong: boolean('is_long').notNull(),
    },
    (t) => [
      uniqueIndex('task_classes_values').on(
        t.projectId,
        t.status,
        t.operation,
        t.model,
        t.providers,
        t.charged,
        t.hasWarnings,
        t.favorite,
        t.isLong,
      ),
    ],
  )

  const classTasks = table(
    'class_tasks',
    {
      taskId: text('task_id').primaryKey(),
      classId: integer('class_id').notNull(),
      /** Both of the task. */
      createdAt: bigint('created_at').notNull(),
      finishedAt: bigint('finished_at'),
    },
    (t) => [
      index('class_tasks_newest').on(t.classId, t.createdAt, t.taskId),
      index('class_tasks_by_end')
        .on(t.classId, t.finishedAt, t.taskId, t.createdAt)
        .where(sql`${t.finishedAt} is not null`),
    ],
  )

  const taskInputs = table(
    'task_inputs',
    { assetId: text('asset_id').notNull(), taskId: reference('task_id', () => tasks.id) },
    (t) => [primaryKey({ columns: [t.assetId, t.taskId] })],
  )

  function fullText(column: AnyPgColumn) {
    const gin = index('task_words_gin')
    return 'using' in gin ? [gin.using('gin', column)] : []
  }

  return { taskLabels, taskClasses, classTasks, taskWords, tasksWithoutWords, taskInputs }
}
