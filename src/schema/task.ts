import { countAhead } from '../db/attempts/counts.ts'
import { chargedOfAll, costOfAll, usageOfAll } from '../db/attempts/totals.ts'
import { findTask } from '../db/tasks/tasks.ts'
import type { AssetRow, TaskRow } from '../db/tables/tables.ts'
import type { Warning } from '../domain.ts'
import { encodeCursor } from '../engine/events/cursor.ts'
import type { ResolvedSettings } from '../providers/provider.ts'
import { builder } from './builder.ts'
import {
  BackgroundEnum,
  ChargedEnum,
  OperationEnum,
  OutputFormatEnum,
  QualityEnum,
  TaskStatusEnum,
  WarningCodeEnum,
} from './enums.ts'
import { AttemptRef, TaskErrorRef } from './attempt.ts'
import type { Context } from './context.ts'
import { ImageRef, PartialImageRef } from './image.ts'
import { NodeRef } from './node.ts'
import { ProviderRef } from './provider.ts'
import { UsageRef } from './usage.ts'

const WarningRef = builder.objectRef<Warning>('Warning').implement({
  description:
    'A difference between what was asked and what is sent, named before money is spent; or what came, named at the end.',
  fields: (t) => ({
    code: t.expose('code', {
      type: WarningCodeEnum,
      description: 'What programs may act on; the message may change.',
    }),
    field: t.exposeString('field', {
      nullable: true,
      description: 'The input field it is about; null when it is about the whole request.',
    }),
    message: t.exposeString('message', {
      description: 'A sentence for people: what was asked, and what is sent instead.',
    }),
  }),
})

const ResolvedRef = builder.objectRef<ResolvedSettings>('ResolvedSettings').implement({
  description: 'What the upstream chose where the request said auto. A field is null when it did not say.',
  fields: (t) => ({
    size: t.string({
      nullable: true,
      description: 'In pixels, WIDTHxHEIGHT.',
      resolve: ({ size }) => size ?? null,
    }),
    quality: t.field({
      type: QualityEnum,
      nullable: true,
      description: 'Never AUTO.',
      resolve: ({ quality }) => quality ?? null,
    }),
    background: t.field({
      type: BackgroundEnum,
      nullable: true,
      description: 'Never AUTO.',
      resolve: ({ background }) => background ?? null,
    }),
    outputFormat: t.field({
      type: OutputFormatEnum,
      nullable: true,
      description: 'Of the files as they came.',
      resolve: ({ outputFormat }) => outputFormat ?? null,
    }),
  }),
})

const attemptsOf = ({ id }: TaskRow, { loaders }: Context) => loaders.attempts.load(id)
/** The images of a task that are of one kind, in order. */
export const assetsOf = async ({ id }: TaskRow, { loaders }: Context, kind: AssetRow['kind']) =>
  (await loaders.assets.load(id)).filter((asset) => asset.kind === kind)

/** The results: of each part those that came first. A surplus that was paid for too stays with its attempt. */
async function resultsOf(task: TaskRow, _: object, context: Context): Promise<AssetRow[]> {
  const succeeded = (await attemptsOf(task, context)).filter(({ state }) => state === 'SUCCEEDED')
  const first = new Map(succeeded.toReversed().map((attempt) => [attempt.part, attempt.id]))
  const winners = new Set(first.values())
  return (await assetsOf(task, context, 'FINAL')).filter(
    ({ attemptId }) => attemptId !== null && winners.has(attemptId),
  )
}

export const TaskRef = builder.objectRef<TaskRow>('Task').implement({
  description:
    'What a client asked for. It lives from the request to the result, whether anybody watches or not.',
  interfaces: [NodeRef],
  fields: (t) => ({
    status: t.expose('status', {
      type: TaskStatusEnum,
      description: 'SUCCEEDED, FAILED and CANCELED are final; every other may still change.',
    }),
    operation: t.expose('operation', {
      type: OperationEnum,
      description: 'EDIT when input images came, else GENERATE.',
    }),
    progress: t.exposeFloat('progress', {
      description: '0 to 1, never decreasing. An estimate until it is 1.',
    }),
    queuePosition: t.int({
      nullable: true,
      description:
        'How many attempts its provider is given before it, with projects taking turns; null unless it is QUEUED.',
      async resolve(task, _, context) {
        if (task.status !== 'QUEUED') return null
        const [latest] = (await attemptsOf(task, context)).slice(-1)
        return latest ? countAhead(context.db.read, latest) : null
      },
    }),
    images: t.field({
      type: [ImageRef],
      description: 'The results, in order, once all are stored. A task CANCELED too late has them as well.',
      complexity: { multiplier: 4 },
      resolve: resultsOf,
    }),
    partialImages: t.field({
      type: [PartialImageRef],
      description: 'The previews that came so far, the least developed first.',
      complexity: { multiplier: 3 },
      resolve: (task, _, context) => assetsOf(task, context, 'PARTIAL'),
    }),
    attempts: t.field({
      type: [AttemptRef],
      description: 'Every try so far, oldest first: the evidence for what was charged.',
      complexity: { multiplier: 4 },
      resolve: (task, _, context) => attemptsOf(task, context),
    }),
    provider: t.field({
      type: ProviderRef,
      nullable: true,
      description: 'Where its latest attempt was sent, or is to be; null when there is none.',
      async resolve(task, _, context) {
        const name = (await attemptsOf(task, context)).at(-1)?.provider
        return name === undefined
          ? null
          : { name, provider: context.providers.find((one) => one.name === name) }
      },
    }),
    usage: t.field({
      type: UsageRef,
      nullable: true,
      description: 'Of all charged attempts together; null until one has ended.',
      resolve: async (task, _, context) => usageOfAll(await attemptsOf(task, context)),
    }),
    costMicros: t.field({
      type: 'BigInt',
      nullable: true,
      description:
        'What all attempts cost together, in micro-USD. Null while it runs, and when a possible charge has no known cost: unknown is not zero.',
      resolve: async (task, _, context) => costOfAll(await attemptsOf(task, context), task.status),
    }),
    charged: t.field({
      type: ChargedEnum,
      description: 'Whether any of its attempts cost money. YES outweighs UNKNOWN, which outweighs NO.',
      resolve: async (task, _, context) => chargedOfAll(await attemptsOf(task, context)),
    }),
    error: t.expose('error', {
      type: TaskErrorRef,
      nullable: true,
      description: 'The latest failure; null when all is well, and once it has SUCCEEDED.',
    }),
    warnings: t.expose('warnings', {
      type: [WarningRef],
      description: 'Where what is sent, or what came, differs from what was asked.',
    }),
    resolved: t.field({
      type: ResolvedRef,
      nullable: true,
      description: 'What the upstream chose where the request said auto; null until it has SUCCEEDED.',
      async resolve(task, _, context) {
        const told = (await attemptsOf(task, context)).findLast(({ resolved }) => resolved !== null)
        // The row keeps what the provider's adapter gave, as JSON.
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion
        return (told?.resolved ?? null) as ResolvedSettings | null
      },
    }),
    lastCursor: t.string({
      description: 'The place behind its newest event: `taskEvents(after:)` goes on from there.',
      resolve: ({ id, lastSeq }) => encodeCursor('task', id, lastSeq),
    }),
    cancelRequested: t.boolean({
      description: 'Whether its owner wants it stopped, even while a provider still works on it.',
      resolve: ({ cancelRequestedAt }) => cancelRequestedAt !== null,
    }),
    replayed: t.boolean({
      description:
        'True only in the answer of a generateImage whose idempotency key was known: nothing new was started.',
      resolve: (task) => 'replayed' in task && task.replayed === true,
    }),
    createdAt: t.expose('createdAt', {
      type: 'DateTime',
      description: 'When it was stored, before generateImage answered.',
    }),
    startedAt: t.expose('startedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was first sent; null before.',
    }),
    finishedAt: t.expose('finishedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'Null until it has ended for good.',
    }),
  }),
})

builder.objectField(TaskRef, 'retryOf', (t) =>
  t.field({
    type: TaskRef,
    nullable: true,
    description: 'The task that this one repeats; null when it is the first.',
    resolve: async ({ retryOf }, _, { db, projectId }) =>
      retryOf === null ? null : ((await findTask(db.read, projectId, retryOf)) ?? null),
  }),
)
