import { findFeedPosition } from '../../db/access/projects.ts'
import type { TaskRow } from '../../db/tables/tables.ts'
import { countTasks, findTask, listTasks, queriesFor } from '../../db/tasks/tasks.ts'
import { encodeCursor } from '../../engine/events/cursor.ts'
import { builder } from '../builder.ts'
import { connectionType, keysetOf, pageArguments, readPage, weightOfPage } from '../connection.ts'
import { requires } from '../scopes.ts'
import { ORDERS, readFilter, TaskFilterInput, TaskOrderEnum } from './task-filter.ts'
import { TaskRef } from './task.ts'

const newestFirst = keysetOf<TaskRow>('task', ({ createdAt }) => createdAt)

const TaskConnectionRef = connectionType<TaskRow, { feedCursor: string }>('Task', {
  description: 'A page of tasks.',
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
    ...requires(
      'READ',
      "Tasks of the caller's project. Errors: CURSOR_INVALID, and BAD_USER_INPUT for a search without words.",
    ),
    complexity: (page) => weightOfPage(page),
    args: {
      ...pageArguments(),
      filter: t.arg({ type: TaskFilterInput, description: 'Which tasks to return. All by default.' }),
      orderBy: t.arg({
        type: TaskOrderEnum,
        defaultValue: 'CREATED_AT_DESC',
        description: 'Order of the list. Cursors of one order are valid in each.',
      }),
    },
    async resolve(_, { filter: given, orderBy, ...page }, { db, projectId }) {
      const filter = readFilter(given)
      const order = ORDERS[orderBy ?? 'CREATED_AT_DESC']
      // Before the page: an event in between is delivered twice, never lost.
      const feedSeq = await findFeedPosition(db.read, projectId)
      const tasks = await readPage(page, newestFirst, {
        list: (range) => listTasks(queriesFor(db, filter, order), projectId, filter, range, order),
        count: () => countTasks(db.reports, projectId, filter, order),
      })
      return { ...tasks, feedCursor: encodeCursor('feed', projectId, feedSeq) }
    },
  }),
}))
