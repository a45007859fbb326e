import type { AnyPgColumn } from 'drizzle-orm/pg-core'
import type { Kit } from './kit.ts'

/** Triggers keep labels and inputs, so that no writer of tasks or attempts can miss one. */
export function createSearchTables(
  { table, text, reference, bigint, words, index, uniqueIndex, primaryKey }: Kit,
  { tasks }: Record<'tasks', { id: AnyPgColumn }>,
) {
  /** Filtered values of a task, such as `user:42`, in the order of the list. */
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

  const taskInputs = table(
    'task_inputs',
    { assetId: text('asset_id').notNull(), taskId: reference('task_id', () => tasks.id) },
    (t) => [primaryKey({ columns: [t.assetId, t.taskId] })],
  )

  function fullText(column: AnyPgColumn) {
    const gin = index('task_words_gin')
    return 'using' in gin ? [gin.using('gin', column)] : []
  }

  return { taskLabels, taskWords, tasksWithoutWords, taskInputs }
}
