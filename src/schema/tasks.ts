import { findFeedPosition } from '../db/access/projects.ts'
import type { TaskRow } from '../db/tables/tables.ts'
import { findTask, listTasks, type TaskFilter } from '../db/tasks/tasks.ts'
import { encodeCursor } from '../engine/events/cursor.ts'
import { builder } from './builder.ts'
import {
  connectionType,
  firstArgument,
  keysetOf,
  pageInfoType,
  readPage,
  weightOfPage,
} from './connection.ts'
import { OperationEnum, TaskStatusEnum } from './enums.ts'
import { TaskRef } from './task.ts'

export const TaskFilterInput = builder.inputType('TaskFilter', {
  description: 'Which tasks; a field left out does not restrict, and all that are given must hold.',
  fields: (t) => ({
    statuses: t.field({
      type: [TaskStatusEnum],
      description: 'In any one of these; an empty list lets none pass.',
    }),
    operation: t.field({ type: OperationEnum, description: 'GENERATE or EDIT.' }),
    model: t.string({ description: 'Of exactly this model, by the name that was asked for.' }),
    provider: t.string({ description: 'With an attempt at this provider.' }),
    createdFrom: t.field({ type: 'DateTime', description: 'Asked for at this moment or later.' }),
    createdTo: t.field({ type: 'DateTime', description: 'Asked for before this moment.' }),
  }),
})

/** The input without its nulls. */
export function readFilter(input: typeof TaskFilterInput.$inferInput | null | undefined): TaskFilter {
  return Object.fromEntries(Object.entries(input ?? {}).filter(([, value]) => value != null))
}

const newestFirst = keysetOf<TaskRow>('task', ({ createdAt }) => createdAt)

const TaskConnectionRef = connectionType<TaskRow, { feedCursor: string }>('TaskConnection', {
  description: 'A page of tasks, newest first.',
  node: TaskRef,
  keyset: newestFirst,
  pageInfo: pageInfoType('PageInfo'),
  edgeName: 'TaskEdge',
})

builder.objectField(TaskConnectionRef, 'feedCursor', (t) =>
  t.exposeString('feedCursor', {
    description:
      "The place in the project's feed at which this page was read: `taskFeed(after:)` goes on from there without a gap.",
  }),
)

builder.queryFields((t) => ({
  task: t.field({
    type: TaskRef,
    nullable: true,
    description: "A task of the caller's project; null when there is none.",
    extensions: { scope: 'READ' },
    args: { id: t.arg.id({ required: true, description: 'Its id, as generateImage answered it.' }) },
    resolve: async (_, { id }, { db, projectId }) => (await findTask(db.read, projectId, id)) ?? null,
  }),
  tasks: t.field({
    type: TaskConnectionRef,
    description: "The project's tasks, newest first.",
    extensions: { scope: 'READ' },
    complexity: ({ first }) => weightOfPage(first),
    args: {
      ...firstArgument(),
      after: t.arg.string({
        description: 'The cursor of the last task seen; from the newest when left out.',
      }),
      filter: t.arg({ type: TaskFilterInput, description: 'All tasks when left out.' }),
    },
    async resolve(_, { filter, ...page }, { db, projectId }) {
      // Read before the page: an event that falls between is told twice rather than never.
      const feedSeq = await findFeedPosition(db.read, projectId)
      const tasks = await readPage(page, newestFirst, ({ first, after }) => {
        const place = after && { createdAt: after.at, id: after.id }
        return listTasks(db.read, projectId, readFilter(filter), { first, after: place })
      })
      return { ...tasks, feedCursor: encodeCursor('feed', projectId, feedSeq) }
    },
  }),
}))
