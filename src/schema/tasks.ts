import { findFeedPosition } from '../db/access/projects.ts'
import type { TaskRow } from '../db/tables/tables.ts'
import { countTasks, findTask, listTasks, queriesFor, type TaskFilter } from '../db/tasks/tasks.ts'
import { encodeCursor } from '../engine/events/cursor.ts'
import { builder, withoutNulls } from './builder.ts'
import { connectionType, keysetOf, pageArguments, readPage, weightOfPage } from './connection.ts'
import * as enums from './enums.ts'
import { requires } from './scopes.ts'
import { TaskRef } from './task.ts'

export const TaskFilterInput = builder.inputType('TaskFilter', {
  description: 'Conditions on tasks, all of which must hold. An absent field does not restrict.',
  fields: (t) => ({
    statuses: t.field({
      type: [enums.TaskStatus],
      description: 'In one of these states. An empty list matches no task.',
    }),
    operation: t.field({ type: enums.Operation, description: 'GENERATE or EDIT only.' }),
    model: t.string({ description: 'Exact model name, as requested.' }),
    provider: t.string({ description: 'Name of a provider that has an attempt of the task.' }),
    createdFrom: t.field({ type: 'DateTime', description: 'Created at this time or later.' }),
    createdTo: t.field({ type: 'DateTime', description: 'Created before this time.' }),
  }),
})

export function readFilter(input: typeof TaskFilterInput.$inferInput | null | undefined): TaskFilter {
  return withoutNulls(input ?? {})
}

const newestFirst = keysetOf<TaskRow>('task', ({ createdAt }) => createdAt)

const TaskConnectionRef = connectionType<TaskRow, { feedCursor: string }>('Task', {
  description: 'A page of tasks, newest first.',
  node: TaskRef,
  keyset: newestFirst,
})

builder.objectField(TaskConnectionRef, 'feedCursor', (t) =>
  t.exposeString('feedCursor', {
    description:
      'Position in the feed of the project when this page was read. `taskFeed(after:)` continues from it without a gap.',
  }),
)

builder.queryFields((t) => ({
  task: t.field({
    type: TaskRef,
    nullable: true,
    ...requires('READ', "A task of the caller's project. Null if there is none with this id."),
    args: { id: t.arg.id({ required: true, description: 'Id returned by generateImage, task_….' }) },
    resolve: async (_, { id }, { db, projectId }) => (await findTask(db.read, projectId, id)) ?? null,
  }),
  tasks: t.field({
    type: TaskConnectionRef,
    ...requires('READ', "Tasks of the caller's project, newest first. Errors: CURSOR_INVALID."),
    complexity: (page) => weightOfPage(page),
    args: {
      ...pageArguments(),
      filter: t.arg({ type: TaskFilterInput, description: 'Which tasks to return. All by default.' }),
    },
    async resolve(_, { filter: given, ...page }, { db, projectId }) {
      const filter = readFilter(given)
      // Before the page: an event in between is delivered twice, but never lost.
      const feedSeq = await findFeedPosition(db.read, projectId)
      const tasks = await readPage(page, newestFirst, {
        list: (range) => listTasks(queriesFor(db, filter), projectId, filter, range),
        count: () => countTasks(db.reports, projectId, filter),
      })
      return { ...tasks, feedCursor: encodeCursor('feed', projectId, feedSeq) }
    },
  }),
}))
