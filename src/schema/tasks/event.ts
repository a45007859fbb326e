import type { FieldMap } from '@pothos/core'
import { countEvents, listEventPage } from '../../db/tasks/events.ts'
import { findAsset } from '../../db/tasks/assets.ts'
import { findAttempt } from '../../db/attempts/attempts.ts'
import type { AttemptRow } from '../../db/tables/tables.ts'
import { decodeCursor, encodeCursor } from '../../engine/events/cursor.ts'
import type { FeedItem } from '../../engine/events/feed-item.ts'
import { AttemptRef } from '../attempt.ts'
import { builder } from '../builder.ts'
import { connectionType, pageArguments, readPage, weightOfPage } from '../connection.ts'
import type { Context } from '../context.ts'
import * as enums from '../enums.ts'
import { exposeAll } from '../expose.ts'
import { PartialImageRef } from '../image.ts'
import { requires } from '../scopes.ts'
import { TaskRef } from './task.ts'
import { readFilter, TaskFilterInput } from './task-filter.ts'

type Kind = FeedItem['body']['type']
type EventFieldBuilder<Type extends Kind> = PothosSchemaTypes.ObjectFieldBuilder<
  typeof builder.$inferSchemaTypes,
  ItemOf<Type>
>
type ItemOf<Type extends Kind> = FeedItem & { body: Extract<FeedItem['body'], { type: Type }> }

const TYPE_NAMES: Record<Kind, string> = {
  TASK_SNAPSHOT: 'TaskSnapshot',
  TASK_QUEUED: 'TaskQueued',
  ATTEMPT_STARTED: 'AttemptStarted',
  TASK_PROGRESSED: 'TaskProgressed',
  PARTIAL_IMAGE_RECEIVED: 'PartialImageReceived',
  ATTEMPT_ENDED: 'AttemptEnded',
  OUTCOME_BECAME_UNKNOWN: 'OutcomeBecameUnknown',
  TASK_FINISHED: 'TaskFinished',
  TASK_LEFT_FILTER: 'TaskLeftFilter',
}

const TaskEventRef = builder.interfaceRef<FeedItem>('TaskEvent').implement({
  description:
    'An event in the life of a task. It never changes; `task` and `attempt` are read at the time of delivery.',
  resolveType: ({ body }) => TYPE_NAMES[body.type],
  fields: (t) => ({
    ...exposeAll(t, 'String', { cursor: 'Opaque position. Pass as `after` to resume after this event.' }),
    ...exposeAll(t, 'DateTime', { at: 'Time of the event; for a snapshot, the time it was taken.' }),
    ...exposeAll(t, TaskRef, { task: 'Current state of the task, at least as new as the event.' }),
  }),
})

function eventType<Type extends Kind>(
  type: Type,
  description: string,
  fields: (t: EventFieldBuilder<Type>) => FieldMap = () => ({}),
): void {
  const interfaces = [TaskEventRef]
  builder.objectRef<ItemOf<Type>>(TYPE_NAMES[type]).implement({ description, interfaces, fields })
}

const attemptField = (description: string) => ({
  type: AttemptRef,
  description,
  resolve: async (
    { task, body }: FeedItem & { body: { attemptId: string } },
    _: object,
    { db }: Context,
  ): Promise<AttemptRow> => (await findAttempt(db.read, task.projectId, body.attemptId))!,
})

eventType(
  'TASK_SNAPSHOT',
  'State of a task when a subscription starts. The first event of every taskEvents; not part of the log.',
  (t) => ({
    resync: t.boolean({
      description:
        'True if events after the given cursor are no longer stored. Continue from this state; with taskFeed, read lists again.',
      resolve: ({ body }) => body.resync,
    }),
  }),
)
eventType('TASK_QUEUED', 'The task was created, or retryTask resumed it.')
eventType('ATTEMPT_STARTED', 'An attempt is being sent. From now on it may be charged.', (t) => ({
  attempt: t.field(attemptField('Current state of the attempt, which may be newer than the event.')),
}))
eventType(
  'TASK_PROGRESSED',
  'The progress increased. At most about two such events per second are recorded.',
  (t) => ({
    progress: t.float({
      description: 'Fraction from 0 to 1 at the time of the event.',
      resolve: ({ body }) => body.progress,
    }),
  }),
)
eventType('PARTIAL_IMAGE_RECEIVED', 'A partial image was received and stored.', (t) => ({
  partialImage: t.field({
    type: PartialImageRef,
    nullable: true,
    description: 'The stored file, for download from `image.url`. Null once it was removed.',
    resolve: async ({ task, body }, _, { db }) =>
      (await findAsset(db.read, task.projectId, body.assetId)) ?? null,
  }),
}))
eventType('ATTEMPT_ENDED', 'An attempt ended. Another may follow if it failed without a charge.', (t) => ({
  attempt: t.field(attemptField('The attempt with its outcome, charge and cost.')),
}))
eventType(
  'OUTCOME_BECAME_UNKNOWN',
  'The response to an attempt was lost. It may have been charged and is not sent again without permission.',
  (t) => ({
    attempt: t.field(
      attemptField('The attempt with the evidence: `wirePhase`, `httpStatus` and `remoteId`.'),
    ),
  }),
)
eventType('TASK_FINISHED', 'The task reached a final state. The last event of every task.', (t) => ({
  status: t.field({
    type: enums.TaskStatus,
    description: 'SUCCEEDED, FAILED or CANCELED.',
    resolve: ({ body }) => body.status,
  }),
}))

eventType(
  'TASK_LEFT_FILTER',
  'An event after which the task does not meet the filter of taskFeed, in place of that event. May repeat, and may name a task ' +
    'that the client did not receive. Not part of the log.',
)

/** More than most tasks have. */
const EVENTS_PAGE = 100

const TaskEventConnectionRef = connectionType<FeedItem>('TaskEvent', {
  description: 'A page of events of one task, oldest first.',
  node: TaskEventRef,
  keyset: { cursorOf: ({ cursor }) => cursor },
})

builder.objectField(TaskRef, 'events', (t) =>
  t.field({
    type: TaskEventConnectionRef,
    description:
      'Log of the task, oldest first. Kept for 7 days after the end by default, then empty. taskEvents delivers new events. ' +
      'Errors: CURSOR_INVALID.',
    complexity: (page) => weightOfPage(page, EVENTS_PAGE),
    args: pageArguments(EVENTS_PAGE),
    resolve: (task, page, { db }) =>
      readPage(
        page,
        // The number of an event is its position.
        {
          positionOf: (cursor) => ({ at: decodeCursor(cursor, 'task', task.id, task.lastSeq), id: task.id }),
        },
        {
          list: async (range) =>
            (await listEventPage(db.read, task.id, range)).map(({ body, at, seq }) => ({
              cursor: encodeCursor('task', task.id, seq),
              at,
              task,
              body,
            })),
          count: () => countEvents(db.read, task.id),
        },
        EVENTS_PAGE,
      ),
  }),
)

builder.subscriptionFields((t) => ({
  taskEvents: t.field({
    type: TaskEventRef,
    ...requires(
      'READ',
      'Events of one task: a TaskSnapshot, then every event after `after`, or every new event without it. The stream ' +
        'completes after TaskFinished, which a late subscriber receives as well. Errors: NOT_FOUND, CURSOR_INVALID, ' +
        'SHUTTING_DOWN.',
    ),
    args: {
      taskId: t.arg.id({ required: true, description: "Id of a task of the caller's project, task_…." }),
      after: t.arg.string({
        description:
          'Cursor of the last event received: delivery resumes without gaps or duplicates. `TaskSnapshot.resync` tells if ' +
          'events are no longer stored.',
      }),
    },
    subscribe: (_, { taskId, after }, { engine, projectId }) =>
      engine.watchTask(projectId, taskId, after ?? null),
    resolve: (item) => item,
  }),
  taskFeed: t.field({
    type: TaskEventRef,
    ...requires(
      'READ',
      'Events of all tasks of the project. Without `after`, a TaskSnapshot of each unfinished task (the newest 100) first. ' +
        'Never completes. Errors: CURSOR_INVALID, SHUTTING_DOWN.',
    ),
    args: {
      filter: t.arg({
        type: TaskFilterInput,
        description:
          'Conditions that a task must meet at the time of delivery. All tasks by default. TaskLeftFilter tells that a task does not ' +
          'meet `statuses`, `charged` or `hasWarnings` any more.',
      }),
      after: t.arg.string({
        description:
          'Cursor of the last event received from taskFeed, or `TaskConnection.feedCursor`. A cursor of taskEvents is not valid.',
      }),
    },
    subscribe: (_, { filter, after }, { engine, projectId }) =>
      engine.watchProject(projectId, readFilter(filter), after ?? null),
    resolve: (item) => item,
  }),
}))
