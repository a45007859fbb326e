// What a task was asked with, as it was asked.
import { findAnyAsset } from '../db/tasks/assets.ts'
import { builder } from './builder.ts'
import {
  BackgroundEnum,
  InputFidelityEnum,
  ModerationEnum,
  OnUnknownOutcomeEnum,
  OutputFormatEnum,
  QualityEnum,
  StyleEnum,
  UnsupportedEnum,
} from './enums.ts'
import { ImageRef } from './image.ts'
import { assetsOf, TaskRef } from './task.ts'

const MetadataRef = builder.objectRef<{ key: string; value: string }>('Metadata').implement({
  description: 'A label that the caller put on a task.',
  fields: (t) => ({
    key: t.exposeString('key', { description: '1 to 64 letters, digits, dots, dashes and underscores.' }),
    value: t.exposeString('value', { description: 'Up to 500 characters.' }),
  }),
})

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
      const stored = task.request.images.map(async (image, i) =>
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
  callbackUrl: t.field({
    type: 'URL',
    nullable: true,
    description:
      'Where a signed POST goes when it ends; null when only the webhooks of the project are told.',
    resolve: ({ request }) => request.callbackUrl,
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
