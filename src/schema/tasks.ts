import { findFeedPosition } from '../db/access/projects.ts'
import type { TaskRow } from '../db/tables/tables.ts'
import { findTask, listTasks, type TaskFilter } from '../db/tasks/tasks.ts'
import { encodeCursor } from '../engine/events/cursor.ts'
import { badInput, GatewayError } from '../errors.ts'
import { builder } from './builder.ts'
import { pageOf } from './complexity.ts'
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

interface Connection {
  tasks: TaskRow[]
  hasNextPage: boolean
  feedCursor: string
}

const PageInfoRef = builder.objectRef<Connection>('PageInfo').implement({
  description: 'Whether there is more, and where to go on (relay.dev/graphql/connections.htm).',
  fields: (t) => ({
    hasNextPage: t.exposeBoolean('hasNextPage', { description: 'Whether older tasks follow.' }),
    endCursor: t.string({
      nullable: true,
      description: 'Pass it as `after` for the next page; null on an empty page.',
      resolve: ({ tasks }) => (tasks.length > 0 ? pageCursor(tasks.at(-1)!) : null),
    }),
  }),
})

const TaskEdgeRef = builder.objectRef<TaskRow>('TaskEdge').implement({
  description: 'A task and its place in the list.',
  fields: (t) => ({
    cursor: t.string({ description: 'Pass it as `after` to go on behind this task.', resolve: pageCursor }),
    node: t.field({
      type: TaskRef,
      description: 'The task at this place in the list.',
      resolve: (task) => task,
    }),
  }),
})

const TaskConnectionRef = builder.objectRef<Connection>('TaskConnection').implement({
  description: 'A page of tasks, newest first.',
  fields: (t) => ({
    edges: t.field({
      type: [TaskEdgeRef],
      description: 'The tasks, each with a cursor of its own to go on from.',
      complexity: { multiplier: 1 },
      resolve: ({ tasks }) => tasks,
    }),
    nodes: t.field({
      type: [TaskRef],
      description: 'The same tasks without cursors, for when the page as a whole is enough.',
      complexity: { multiplier: 1 },
      resolve: ({ tasks }) => tasks,
    }),
    pageInfo: t.field({
      type: PageInfoRef,
      description: 'Whether older tasks follow, and from which cursor.',
      resolve: (connection) => connection,
    }),
    feedCursor: t.exposeString('feedCursor', {
      description:
        "The place in the project's feed at which this page was read: `taskFeed(after:)` goes on from there without a gap.",
    }),
  }),
})

const MOST = 100

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
    complexity: ({ first }) => pageOf(first, 50, MOST),
    args: {
      first: t.arg.int({ defaultValue: 50, description: `At most so many, 1 to ${MOST}.` }),
      after: t.arg.string({
        description: 'The cursor of the last task seen; from the newest when left out.',
      }),
      filter: t.arg({ type: TaskFilterInput, description: 'All tasks when left out.' }),
    },
    async resolve(_, { first: asked, after, filter }, { db, projectId }) {
      const first = asked ?? 50
      if (first < 1 || first > MOST) throw badInput('first', `first is ${first}; 1 to ${MOST} is possible.`)
      // Read before the page: an event that falls between is told twice rather than never.
      const feedSeq = await findFeedPosition(db.read, projectId)
      const page = { first, after: after == null ? undefined : readPageCursor(after) }
      const rows = await listTasks(db.read, projectId, readFilter(filter), page)
      return {
        tasks: rows.slice(0, first),
        hasNextPage: rows.length > first,
        feedCursor: encodeCursor('feed', projectId, feedSeq),
      }
    },
  }),
}))

function pageCursor({ createdAt, id }: TaskRow): string {
  return Buffer.from(`${createdAt}:${id}`).toString('base64url')
}

function readPageCursor(cursor: string): { createdAt: number; id: string } {
  const match = /^(\d{1,15}):(task_\w{26})$/.exec(Buffer.from(cursor, 'base64url').toString('utf8'))
  if (!match) {
    throw new GatewayError(
      'CURSOR_INVALID',
      'The cursor is not one of this list. Leave it out to start with the newest.',
      { field: 'after' },
    )
  }
  return { createdAt: Number(match[1]), id: match[2]! }
}
