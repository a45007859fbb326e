import { countAhead } from '../db/attempts.ts'
import { findAnyAsset } from '../db/assets.ts'
import { findTask } from '../db/tasks.ts'
import type { AssetRow, TaskRow } from '../db/tables.ts'
import { encodeCursor } from '../engine/cursor.ts'
import { builder } from './builder.ts'
import {
  BackgroundEnum,
  ChargedEnum,
  InputFidelityEnum,
  ModerationEnum,
  OnUnknownOutcomeEnum,
  OperationEnum,
  OutputFormatEnum,
  QualityEnum,
  StyleEnum,
  TaskStatusEnum,
  UnsupportedEnum,
  WarningCodeEnum,
} from './enums.ts'
import type { Warning } from '../domain.ts'
import { AttemptRef, TaskErrorRef } from './attempt.ts'
import type { Context } from './context.ts'
import { ImageRef, PartialImageRef } from './image.ts'
import { NodeRef } from './node.ts'
import { ProviderRef } from './provider.ts'
import { chargedOfAll, costOfAll, usageOfAll, UsageRef } from './usage.ts'

export const WarningRef = builder.objectRef<Warning>('Warning').implement({
  description: 'A difference between what was asked and what is sent, named before money is spent.',
  fields: (t) => ({
    code: t.field({
      type: WarningCodeEnum,
      description: 'What programs may act on; the message may change.',
      resolve: ({ code }) => code,
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

const MetadataRef = builder.objectRef<{ key: string; value: string }>('Metadata').implement({
  description: 'A label that the caller put on a task.',
  fields: (t) => ({
    key: t.exposeString('key', { description: '1 to 64 letters, digits, dots, dashes and underscores.' }),
    value: t.exposeString('value', { description: 'Up to 500 characters.' }),
  }),
})

const ResolvedRef = builder.objectRef<Record<string, string>>('ResolvedSettings').implement({
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
      resolve: ({ quality }) => (quality as 'LOW' | undefined) ?? null,
    }),
    background: t.field({
      type: BackgroundEnum,
      nullable: true,
      description: 'Never AUTO.',
      resolve: ({ background }) => (background as 'OPAQUE' | undefined) ?? null,
    }),
    outputFormat: t.field({
      type: OutputFormatEnum,
      nullable: true,
      description: 'Of the files as they came.',
      resolve: ({ outputFormat }) => (outputFormat as 'PNG' | undefined) ?? null,
    }),
  }),
})

const attemptsOf = ({ id }: TaskRow, { loaders }: Context) => loaders.attempts.load(id)
const assetsOf = async ({ id }: TaskRow, { loaders }: Context, kind: AssetRow['kind']) =>
  (await loaders.assets.load(id)).filter((asset) => asset.kind === kind)

export const TaskRef = builder.objectRef<TaskRow>('Task').implement({
  description:
    'What a client asked for. It lives from the request to the result, whether anybody watches or not.',
  interfaces: [NodeRef],
  isTypeOf: (value) => (value as TaskRow).id?.startsWith('task_'),
  fields: (t) => ({
    status: t.field({
      type: TaskStatusEnum,
      description: 'SUCCEEDED, FAILED and CANCELED are final; every other may still change.',
      resolve: ({ status }) => status,
    }),
    operation: t.field({
      type: OperationEnum,
      description: 'EDIT when input images came, else GENERATE.',
      resolve: ({ operation }) => operation,
    }),
    progress: t.exposeFloat('progress', {
      description: '0 to 1, never decreasing. An estimate until it is 1.',
    }),
    queuePosition: t.int({
      nullable: true,
      description: 'How many attempts are ahead of it at its provider; null unless it is QUEUED.',
      async resolve(task, _, context) {
        if (task.status !== 'QUEUED') return null
        const [latest] = (await attemptsOf(task, context)).slice(-1)
        return latest ? await countAhead(context.db.read, latest) : null
      },
    }),
    images: t.field({
      type: [ImageRef],
      description: 'The results, in order, once all are stored. A task CANCELED too late has them as well.',
      resolve: (task, _, context) => assetsOf(task, context, 'FINAL'),
    }),
    partialImages: t.field({
      type: [PartialImageRef],
      description: 'The previews that came so far, the least developed first.',
      resolve: (task, _, context) => assetsOf(task, context, 'PARTIAL'),
    }),
    attempts: t.field({
      type: [AttemptRef],
      description: 'Every try so far, oldest first: the evidence for what was charged.',
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
    error: t.field({
      type: TaskErrorRef,
      nullable: true,
      description: 'The latest failure; null when all is well, and once it has SUCCEEDED.',
      resolve: ({ error }) => error,
    }),
    warnings: t.field({
      type: [WarningRef],
      description: 'Where what is sent differs from what was asked.',
      resolve: ({ warnings }) => warnings,
    }),
    resolved: t.field({
      type: ResolvedRef,
      nullable: true,
      description: 'What the upstream chose where the request said auto; null until it has SUCCEEDED.',
      resolve: async (task, _, context) =>
        (await attemptsOf(task, context)).findLast(({ resolved }) => resolved !== null)?.resolved ?? null,
    }),
    lastCursor: t.string({
      description: 'The place behind its newest event: `taskEvents(after:)` goes on from there.',
      resolve: ({ id, lastSeq }) => encodeCursor('task', id, lastSeq),
    }),
    retryOf: t.field({
      type: 'Task' as never,
      nullable: true,
      description: 'The task that this one repeats; null when it is the first.',
      resolve: async ({ retryOf }, _, { db, projectId }) =>
        (retryOf ? ((await findTask(db.read, projectId, retryOf)) ?? null) : null) as never,
    }),
    cancelRequested: t.boolean({
      description: 'Whether its owner wants it stopped, even while a provider still works on it.',
      resolve: ({ cancelRequestedAt }) => cancelRequestedAt !== null,
    }),
    createdAt: t.field({
      type: 'DateTime',
      description: 'When it was stored, before generateImage answered.',
      resolve: ({ createdAt }) => createdAt,
    }),
    startedAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When it was first sent; null before.',
      resolve: ({ startedAt }) => startedAt,
    }),
    finishedAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'Null until it has ended for good.',
      resolve: ({ finishedAt }) => finishedAt,
    }),
  }),
})

// What was asked, as it was asked.
builder.objectFields(TaskRef, (t) => ({
  prompt: t.string({
    description: 'As asked. What an upstream made of it is `Image.revisedPrompt`.',
    resolve: ({ request }) => request.prompt,
  }),
  model: t.exposeString('model', {
    description: 'As asked, or gpt-image-2, the default. A provider may know it by another name.',
  }),
  allowedProviders: t.stringList({
    nullable: true,
    description: 'The providers that were allowed, in order; null when all are.',
    resolve: ({ request }) => request.providers,
  }),
  inputImages: t.field({
    type: [ImageRef],
    description: 'The images to edit, in order. One given by address appears once it was fetched.',
    async resolve(task, _, context) {
      const fetched = await assetsOf(task, context, 'INPUT')
      const stored = task.request.images.map((image, i) =>
        'assetId' in image
          ? findAnyAsset(context.db.read, image.assetId)
          : fetched.find(({ position }) => position === i),
      )
      return (await Promise.all(stored)).filter((asset) => asset !== undefined)
    },
  }),
  mask: t.field({
    type: ImageRef,
    nullable: true,
    description: 'What to redraw: its transparent pixels. Null when there is none.',
    async resolve(task, _, context) {
      const { mask } = task.request
      if (mask && 'assetId' in mask) return (await findAnyAsset(context.db.read, mask.assetId)) ?? null
      return (await assetsOf(task, context, 'MASK'))[0] ?? null
    },
  }),
  size: t.field({
    type: 'ImageSize',
    description: 'As asked. What the upstream chose for auto is in `resolved`.',
    resolve: ({ request }) => request.size,
  }),
  quality: t.field({
    type: QualityEnum,
    description: 'As asked. What the upstream chose for AUTO is in `resolved`.',
    resolve: ({ request }) => request.quality,
  }),
  background: t.field({
    type: BackgroundEnum,
    description: 'As asked. What the upstream chose for AUTO is in `resolved`.',
    resolve: ({ request }) => request.background,
  }),
  moderation: t.field({
    type: ModerationEnum,
    description: 'As asked; AUTO leaves the strictness to the upstream.',
    resolve: ({ request }) => request.moderation,
  }),
  outputFormat: t.field({
    type: OutputFormatEnum,
    description: 'As asked. What really came is `Image.mimeType`.',
    resolve: ({ request }) => request.outputFormat,
  }),
  outputCompression: t.int({
    nullable: true,
    description: '0 to 100 as asked; null leaves it to the provider.',
    resolve: ({ request }) => request.outputCompression,
  }),
  inputFidelity: t.field({
    type: InputFidelityEnum,
    nullable: true,
    description: 'As asked; null leaves it to the provider.',
    resolve: ({ request }) => request.inputFidelity,
  }),
  style: t.field({
    type: StyleEnum,
    nullable: true,
    description: 'As asked; null leaves it to the provider.',
    resolve: ({ request }) => request.style,
  }),
  n: t.int({ description: 'How many images were asked for.', resolve: ({ request }) => request.n }),
  partialImagesAsked: t.int({
    description: 'How many previews were asked for, 0 to 3.',
    resolve: ({ request }) => request.partialImages,
  }),
  user: t.string({
    nullable: true,
    description: "The caller's own end user, for abuse control; null when none was named.",
    resolve: ({ request }) => request.user,
  }),
  metadata: t.field({
    type: [MetadataRef],
    description: "The caller's labels, 16 at most.",
    resolve: ({ request }) => Object.entries(request.metadata).map(([key, value]) => ({ key, value })),
  }),
  idempotencyKey: t.exposeString('idempotencyKey', {
    nullable: true,
    description: 'The key it was asked with; null without one.',
  }),
  unsupported: t.field({
    type: UnsupportedEnum,
    description: 'As asked: whether a setting that cannot be honoured is a warning or a refusal.',
    resolve: ({ request }) => request.unsupported,
  }),
  onUnknownOutcome: t.field({
    type: OnUnknownOutcomeEnum,
    description: 'As asked: whether a lost answer is waited for or sent again.',
    resolve: ({ request }) => request.onUnknownOutcome,
  }),
  maxCharges: t.exposeInt('maxCharges', {
    description: 'How many possible charges it may have; grows when a second one is accepted.',
  }),
}))
