import { countAhead } from '../../db/attempts/counts.ts'
import { chargedOfAll, costOfAll, usageOfAll } from '../../db/attempts/totals.ts'
import { findTask, getTask, listTasksWithInput } from '../../db/tasks/tasks.ts'
import type { AssetRow, TaskRow } from '../../db/tables/tables.ts'
import type { Warning } from '../../domain.ts'
import { encodeCursor } from '../../engine/events/cursor.ts'
import { resultsAmong } from '../../engine/images/results.ts'
import { whenReady, type MaybePromise } from '../../maybe-promise.ts'
import type { ResolvedSettings } from '../../providers/provider.ts'
import { builder } from '../builder.ts'
import * as enums from '../enums.ts'
import { AttemptRef, TaskErrorRef, UsageRef } from '../attempt.ts'
import { DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE, sizeOf, weightOfPage } from '../connection.ts'
import type { Context } from '../context.ts'
import { exposeAll, exposeNullable } from '../expose.ts'
import { ImageRef, PartialImageRef } from '../image.ts'
import { NodeRef } from '../node.ts'
import { namedProvider } from '../named-provider.ts'
import { ProviderRef } from '../provider.ts'

export const WarningRef = builder.objectRef<Warning>('Warning').implement({
  description:
    'A difference between the request and what is sent, known before money is spent, or what was received, known at the end.',
  fields: (t) => ({
    ...exposeAll(t, enums.WarningCode, { code: 'Machine-readable kind of difference.' }),
    ...exposeNullable(t, 'String', {
      field: 'Name of the input field. Null if the whole request is concerned.',
    }),
    ...exposeAll(t, 'String', {
      message:
        'Explanation for people: what was requested, and what is sent instead. The wording may change.',
    }),
  }),
})

const ResolvedSettingsRef = builder.objectRef<ResolvedSettings>('ResolvedSettings').implement({
  description: 'Settings that the provider chose or used. A field is null if it was not reported.',
  fields: (t) => ({
    ...exposeNullable(t, 'String', { size: 'WIDTHxHEIGHT in pixels.' }),
    ...exposeNullable(t, enums.Quality, { quality: 'Chosen value, never AUTO.' }),
    ...exposeNullable(t, enums.Background, { background: 'Chosen value, never AUTO.' }),
    ...exposeNullable(t, enums.OutputFormat, { outputFormat: 'Format of the received files.' }),
  }),
})

const attemptsOf = ({ id }: TaskRow, { loaders }: Context) => loaders.attempts.load(id)

export const assetsOf = ({ id }: TaskRow, { loaders }: Context, kind: AssetRow['kind']) =>
  whenReady(loaders.assets.load(id), (assets) => assets.filter((asset) => asset.kind === kind))

function resultsOf(task: TaskRow, _: object, context: Context): MaybePromise<AssetRow[]> {
  const assets = context.loaders.assets.load(task.id)
  return whenReady(attemptsOf(task, context), (attempts) =>
    whenReady(assets, (rows) => resultsAmong(attempts, rows)),
  )
}

export const TaskRef = builder.objectRef<TaskRow>('Task').implement({
  description:
    'A request for images, from its creation to its end. It does not depend on a connected client.',
  interfaces: [NodeRef],
  fields: (t) => ({
    ...exposeAll(t, enums.TaskStatus, {
      status: 'State of the task. SUCCEEDED, FAILED and CANCELED are final.',
    }),
    ...exposeAll(t, enums.Operation, { operation: 'EDIT if the input has images, else GENERATE.' }),
    ...exposeAll(t, 'Float', {
      progress: 'Fraction from 0 to 1 that never decreases. An estimate until it is 1.',
    }),
    apiKeyId: t.exposeID('apiKeyId', {
      nullable: true,
      description: 'Id of the API key that created it, key_…. Null for a task created without a key.',
    }),
    queuePosition: t.int({
      nullable: true,
      description:
        'Number of attempts that its provider receives before it, under fair scheduling of projects. Null unless QUEUED.',
      async resolve(task, _, context) {
        if (task.status !== 'QUEUED') return null
        const latest = (await attemptsOf(task, context)).at(-1)
        return latest ? countAhead(context.db.read, latest) : null
      },
    }),
    estimatedCompletion: t.field({
      type: 'DateTime',
      nullable: true,
      description:
        'Expected end, from the median duration of recent attempts of the same provider, model, size and quality. Without 3 of ' +
        'them, those of the model and quality count, else those of the model. A queued task counts its turn. Null once it has ended or its outcome is unknown, ' +
        'with fewer than 3 such attempts, and if it takes longer than all of them.',
      resolve: (task, _, context) =>
        whenReady(attemptsOf(task, context), (attempts) => context.engine.estimateCompletion(task, attempts)),
    }),
    images: t.field({
      type: [ImageRef],
      description:
        'Results in order, once they are stored. A CANCELED task has them if its provider had started.',
      complexity: { multiplier: 4 },
      resolve: resultsOf,
    }),
    partialImages: t.field({
      type: [PartialImageRef],
      description:
        'Partial images received so far, the least detailed first. Kept for a day after the end by default.',
      complexity: { multiplier: 3 },
      resolve: (task, _, context) => assetsOf(task, context, 'PARTIAL'),
    }),
    attempts: t.field({
      type: [AttemptRef],
      description: 'All tries at providers, oldest first: the evidence for `charged` and `costMicros`.',
      complexity: { multiplier: 4 },
      resolve: (task, _, context) => attemptsOf(task, context),
    }),
    provider: t.field({
      type: ProviderRef,
      nullable: true,
      description: 'Provider of the latest attempt. Null if there is no attempt.',
      resolve: (task, _, context) =>
        whenReady(attemptsOf(task, context), (attempts) => {
          const latest = attempts.at(-1)
          return latest ? namedProvider(latest.provider, context) : null
        }),
    }),
    usage: t.field({
      type: UsageRef,
      nullable: true,
      description: 'Tokens of all attempts that were or may have been charged. Null until one has ended.',
      resolve: (task, _, context) => whenReady(attemptsOf(task, context), usageOfAll),
    }),
    costMicros: t.field({
      type: 'BigInt',
      nullable: true,
      description:
        'Cost of all attempts in micro-USD. Null while QUEUED or RUNNING, and if a possible charge has no known cost: unknown ' +
        'is not zero.',
      resolve: (task, _, context) =>
        whenReady(attemptsOf(task, context), (attempts) => costOfAll(attempts, task.status)),
    }),
    charged: t.field({
      type: enums.Charged,
      description: 'Whether any attempt cost money. YES outweighs UNKNOWN, which outweighs NO.',
      resolve: (task, _, context) => whenReady(attemptsOf(task, context), chargedOfAll),
    }),
    ...exposeNullable(t, TaskErrorRef, {
      error: 'Latest failure of an attempt, even if another follows. Null without one, and if SUCCEEDED.',
    }),
    ...exposeAll(t, [WarningRef], {
      warnings: 'Differences between the request and what is sent or was received.',
    }),
    resolvedSettings: t.field({
      type: ResolvedSettingsRef,
      nullable: true,
      description: 'What the provider chose where the request has auto. Null until an attempt succeeds.',
      resolve: (task, _, context) =>
        whenReady(attemptsOf(task, context), (attempts) => {
          const latest = attempts.findLast(({ resolved }) => resolved !== null)
          return latest?.resolved ?? null
        }),
    }),
    revision: t.int({
      description:
        'Rises with each event, and with changes that have none: labels, favorite, deleted images. A client that got a state ' +
        'with a greater number can drop this one, which arrived late.',
      resolve: ({ lastSeq, changes }) => lastSeq + changes,
    }),
    lastCursor: t.string({
      description: 'Cursor of the newest event. `taskEvents(after:)` resumes after it.',
      resolve: ({ id, lastSeq }) => encodeCursor('task', id, lastSeq),
    }),
    cancelRequested: t.boolean({
      description: 'Whether cancelTask was called, even while a provider still works on it.',
      resolve: ({ cancelRequestedAt }) => cancelRequestedAt !== null,
    }),
    ...exposeAll(t, 'Boolean', { favorite: 'Mark set by updateTask. False at first.' }),
    ...exposeAll(t, 'DateTime', { createdAt: 'Time at which it was stored, before generateImage returned.' }),
    ...exposeNullable(t, 'DateTime', {
      startedAt: 'Time at which the first attempt was sent. Null before.',
      finishedAt: 'Time at which it reached a final state. Null before.',
      deletedAt:
        'Time at which it was deleted: only `Attempt.task` still returns it, without its content. Null otherwise.',
    }),
  }),
})

builder.objectField(ImageRef, 'task', (t) =>
  t.field({
    type: TaskRef,
    description: 'The task that made it, or for an input the task that it was uploaded for.',
    resolve: ({ taskId }, _, { db }) => getTask(db.read, taskId),
  }),
)

builder.objectField(ImageRef, 'usedBy', (t) =>
  t.field({
    type: [TaskRef],
    description: 'Tasks whose input images, mask or markup have the same bytes, newest first.',
    complexity: (page) => weightOfPage(page),
    args: {
      first: t.arg.int({
        defaultValue: DEFAULT_PAGE_SIZE,
        description: `Maximum number of tasks, 1 to ${MAX_PAGE_SIZE}.`,
      }),
    },
    // Any number of tasks may have the image.
    resolve: (image, { first }, { db }) =>
      listTasksWithInput(db.reports, image, sizeOf('first', first ?? DEFAULT_PAGE_SIZE)),
  }),
)

builder.objectField(AttemptRef, 'task', (t) =>
  t.field({
    type: TaskRef,
    description: 'The task that it is a try of, in its current state. Without content once it is deleted.',
    resolve: ({ taskId }, _, { db }) => getTask(db.read, taskId),
  }),
)

// Apart from the others, because its type is its own.
builder.objectField(TaskRef, 'retryOf', (t) =>
  t.field({
    type: TaskRef,
    nullable: true,
    description:
      'The earlier task that this one repeats. Null unless retryTask created it, and once that is deleted.',
    resolve: async ({ retryOf }, _, { db, projectId }) =>
      retryOf === null ? null : ((await findTask(db.read, projectId, retryOf)) ?? null),
  }),
)
