import { listEvents } from '../db/tasks/events.ts'
import { findAsset } from '../db/tasks/assets.ts'
import { findAttempt } from '../db/attempts/attempts.ts'
import { decodeCursor, encodeCursor } from '../engine/events/cursor.ts'
import type { FeedItem } from '../engine/events/feed.ts'
import { AttemptRef } from './attempt.ts'
import { builder } from './builder.ts'
import { firstArgument, readFirst, weightOfPage } from './connection.ts'
import type { Context } from './context.ts'
import { TaskStatusEnum } from './enums.ts'
import { PartialImageRef } from './image.ts'
import { TaskRef } from './task.ts'
import { readFilter, TaskFilterInput } from './tasks.ts'

type Body<Type extends FeedItem['body']['type']> = Extract<FeedItem['body'], { type: Type }>
/** What is told, narrowed to one kind of event. */
type ToldOf<Type extends FeedItem['body']['type']> = FeedItem & { body: Body<Type> }

const TYPE_NAMES: Record<FeedItem['body']['type'], string> = {
  TASK_SNAPSHOT: 'TaskSnapshot',
  TASK_QUEUED: 'TaskQueued',
  ATTEMPT_STARTED: 'AttemptStarted',
  TASK_PROGRESSED: 'TaskProgressed',
  PARTIAL_IMAGE_RECEIVED: 'PartialImageReceived',
  ATTEMPT_ENDED: 'AttemptEnded',
  OUTCOME_BECAME_UNKNOWN: 'OutcomeBecameUnknown',
  TASK_FINISHED: 'TaskFinished',
}

const TaskEventRef = builder.interfaceRef<FeedItem>('TaskEvent').implement({
  description: 'One thing that happened to a task. It never changes; only `task` is read anew each time.',
  resolveType: ({ body }) => TYPE_NAMES[body.type],
  fields: (t) => ({
    cursor: t.exposeString('cursor', {
      description: 'Give it back as `after` to go on behind this event. Opaque.',
    }),
    at: t.expose('at', {
      type: 'DateTime',
      description: 'When it happened; for a snapshot, when it was taken.',
    }),
    task: t.expose('task', {
      type: TaskRef,
      description: 'The task as it is now: at least as new as the event.',
    }),
  }),
})

const attemptOf = async ({ task, body }: FeedItem & { body: { attemptId: string } }, context: Context) =>
  (await findAttempt(context.db.read, task.projectId, body.attemptId))!

builder.objectType(builder.objectRef<ToldOf<'TASK_SNAPSHOT'>>('TaskSnapshot'), {
  description: 'How things stand when watching begins. Always first, and never part of the log.',
  interfaces: [TaskEventRef],
  fields: (t) => ({
    resync: t.boolean({
      description:
        'True when events after the cursor that was given are no longer kept: go on from this, and in a feed read lists anew.',
      resolve: ({ body }) => body.resync,
    }),
  }),
})
builder.objectType(builder.objectRef<ToldOf<'TASK_QUEUED'>>('TaskQueued'), {
  description: 'It was asked for, or its owner asked for it again.',
  interfaces: [TaskEventRef],
})
builder.objectType(builder.objectRef<ToldOf<'ATTEMPT_STARTED'>>('AttemptStarted'), {
  description: 'An attempt is being sent: from now on it may be charged.',
  interfaces: [TaskEventRef],
  fields: (t) => ({
    attempt: t.field({
      type: AttemptRef,
      description: 'The attempt as it is now, which may be further than this event.',
      resolve: (told, _, context) => attemptOf(told, context),
    }),
  }),
})
builder.objectType(builder.objectRef<ToldOf<'TASK_PROGRESSED'>>('TaskProgressed'), {
  description: 'It got further. At most about two a second are recorded.',
  interfaces: [TaskEventRef],
  fields: (t) => ({
    progress: t.float({ description: '0 to 1, as of this event.', resolve: ({ body }) => body.progress }),
  }),
})
builder.objectType(builder.objectRef<ToldOf<'PARTIAL_IMAGE_RECEIVED'>>('PartialImageReceived'), {
  description: 'A preview came, and is stored.',
  interfaces: [TaskEventRef],
  fields: (t) => ({
    partialImage: t.field({
      type: PartialImageRef,
      nullable: true,
      description: 'The preview, to be fetched from `image.url`; null once it is no longer kept.',
      resolve: async ({ task, body }, _, { db }) =>
        (await findAsset(db.read, task.projectId, body.assetId)) ?? null,
    }),
  }),
})
builder.objectType(builder.objectRef<ToldOf<'ATTEMPT_ENDED'>>('AttemptEnded'), {
  description: 'An attempt ended. When it failed without a charge, another may follow.',
  interfaces: [TaskEventRef],
  fields: (t) => ({
    attempt: t.field({
      type: AttemptRef,
      description: 'The attempt with its outcome, charge and cost.',
      resolve: (told, _, context) => attemptOf(told, context),
    }),
  }),
})
builder.objectType(builder.objectRef<ToldOf<'OUTCOME_BECAME_UNKNOWN'>>('OutcomeBecameUnknown'), {
  description:
    'The answer to an attempt was lost: it may have been charged, and is not sent again without permission.',
  interfaces: [TaskEventRef],
  fields: (t) => ({
    attempt: t.field({
      type: AttemptRef,
      description: 'The attempt with the evidence: `wirePhase`, `httpStatus`, `remoteId`.',
      resolve: (told, _, context) => attemptOf(told, context),
    }),
  }),
})
builder.objectType(builder.objectRef<ToldOf<'TASK_FINISHED'>>('TaskFinished'), {
  description: 'It ended for good. The last event of every task.',
  interfaces: [TaskEventRef],
  fields: (t) => ({
    status: t.field({
      type: TaskStatusEnum,
      description: 'SUCCEEDED, FAILED or CANCELED.',
      resolve: ({ body }) => body.status,
    }),
  }),
})

/** Most tasks have fewer events. */
const EVENTS_PAGE = 100

builder.objectField(TaskRef, 'events', (t) =>
  t.field({
    type: [TaskEventRef],
    description:
      'Its log, oldest first; empty once it is no longer kept. To be told of what comes next, subscribe to taskEvents.',
    complexity: ({ first }) => weightOfPage(first, EVENTS_PAGE),
    args: {
      after: t.arg.string({ description: 'A cursor of this task; from the beginning when left out.' }),
      ...firstArgument(EVENTS_PAGE),
    },
    async resolve(task, { after, first }, { db }) {
      const limit = readFirst(first, EVENTS_PAGE)
      const seq = after == null ? 0 : decodeCursor(after, 'task', task.id, task.lastSeq)
      const events = await listEvents(db.read, task.id, seq, limit)
      return events.map(({ body, at, seq: own }) => ({
        cursor: encodeCursor('task', task.id, own),
        at,
        task,
        body,
      }))
    },
  }),
)

builder.subscriptionFields((t) => ({
  taskEvents: t.field({
    type: TaskEventRef,
    description:
      'Watches one task: a TaskSnapshot, then every event after `after` (those to come, without it), and completes ' +
      'behind TaskFinished. Subscribing after the end still tells the end.',
    extensions: { scope: 'READ' },
    args: {
      taskId: t.arg.id({ required: true, description: "The id of a task of the caller's project." }),
      after: t.arg.string({
        description:
          'The cursor of the last event seen: nothing is missed, nothing comes twice. An event that is no longer kept ' +
          'is not told; `TaskSnapshot.resync` says so.',
      }),
    },
    subscribe: (_, { taskId, after }, { engine, projectId }) =>
      engine.watchTask(projectId, taskId, after ?? null),
    resolve: (told) => told,
  }),
  taskFeed: t.field({
    type: TaskEventRef,
    description:
      'Watches every task of the project, for dashboards: without `after` a TaskSnapshot of each unfinished task (the ' +
      'newest 100), then every event as it happens. Its cursors are its own; `TaskConnection.feedCursor` is one too. ' +
      'Never completes by itself.',
    extensions: { scope: 'READ' },
    args: {
      filter: t.arg({
        type: TaskFilterInput,
        description: 'Only tasks that pass it at the time of the event.',
      }),
      after: t.arg.string({ description: 'The cursor of the last event seen in this feed.' }),
    },
    subscribe: (_, { filter, after }, { engine, projectId }) =>
      engine.watchProject(projectId, readFilter(filter), after ?? null),
    resolve: (told) => told,
  }),
}))
