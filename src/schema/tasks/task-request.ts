// Unchanged since the task was created, but for the metadata.
import { findAnyAsset } from '../../db/tasks/assets.ts'
import type { TaskRow } from '../../db/tables/tables.ts'
import type { Animation, ImageRequest, SvgAuthor } from '../../domain.ts'
import { builder } from '../builder.ts'
import * as enums from '../enums.ts'
import { exposeAll, exposeNullable } from '../expose.ts'
import { ImageRef } from '../image.ts'
import { assetsOf, TaskRef } from './task.ts'

const MetadataRef = builder.objectRef<{ key: string; value: string }>('Metadata').implement({
  description: 'A label that the caller put on a task.',
  fields: (t) =>
    exposeAll(t, 'String', {
      key: '1 to 64 letters, digits, dots, dashes and underscores.',
      value: 'Text of up to 500 characters.',
    }),
})

const AUTO = 'As requested. `resolvedSettings` has what the provider chose for auto.'
const OPTIONAL = 'As requested. Null leaves it to the provider.'

const read =
  <Name extends keyof ImageRequest>(name: Name) =>
  ({ request }: TaskRow) =>
    request[name]

/** Null in tasks that were stored before the setting existed. */
const later =
  <Name extends keyof ImageRequest>(name: Name) =>
  ({ request }: TaskRow) =>
    request[name] ?? null

const AnimationRef = builder.objectRef<Animation>('Animation').implement({
  description: 'Requested frames of a GIF.',
  fields: (t) =>
    exposeNullable(t, 'Int', {
      frames: 'Number of frames. Null leaves it to the provider.',
      frameDurationMs: 'Duration of each frame in milliseconds. Null leaves it to the provider.',
    }),
})

const SvgAuthorRef = builder.objectRef<SvgAuthor>('SvgAuthor').implement({
  description: 'Requested author of an SVG.',
  fields: (t) => ({
    ...exposeAll(t, 'String', { model: 'Name of the model that writes it.' }),
    ...exposeNullable(t, enums.SvgEffort, { effort: "Reasoning effort. Null: the author's default." }),
  }),
})

builder.objectFields(TaskRef, (t) => ({
  ...exposeAll(t, 'String', {
    model: 'As requested, gpt-image-2 by default. `Model.providerModelName` may differ.',
  }),
  ...exposeAll(t, 'Int', {
    maxCharges:
      'Maximum number of possible charges for each provider request of the task. Raised when retryTask accepts another charge.',
  }),
  ...exposeNullable(t, 'String', {
    idempotencyKey: 'Key that makes the request idempotent. Null without one.',
  }),
  prompt: t.string({
    description: 'As requested. `Image.revisedPrompt` has what the provider made of it.',
    resolve: read('prompt'),
  }),
  allowedProviders: t.stringList({
    nullable: true,
    description: 'Names of the allowed providers, in order of preference. Null if all are allowed.',
    resolve: read('providers'),
  }),
  inputImages: t.field({
    type: [ImageRef],
    description: 'Images to edit, in order. An image given by URL appears once it was fetched.',
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
    description: 'Image whose transparent pixels mark what to redraw. Null without one.',
    async resolve(task, _, context) {
      const { mask } = task.request
      if (mask && 'assetId' in mask) return (await findAnyAsset(context.db.read, mask.assetId)) ?? null
      return (await assetsOf(task, context, 'MASK'))[0] ?? null
    },
  }),
  size: t.field({ type: 'ImageSize', description: AUTO, resolve: read('size') }),
  quality: t.field({ type: enums.Quality, description: AUTO, resolve: read('quality') }),
  background: t.field({ type: enums.Background, description: AUTO, resolve: read('background') }),
  moderation: t.field({
    type: enums.Moderation,
    description: 'As requested. AUTO leaves the strictness to the provider.',
    resolve: read('moderation'),
  }),
  outputFormat: t.field({
    type: enums.OutputFormat,
    description: 'As requested. `Image.mimeType` has the format that was received.',
    resolve: read('outputFormat'),
  }),
  outputCompression: t.int({ nullable: true, description: OPTIONAL, resolve: read('outputCompression') }),
  inputFidelity: t.field({
    type: enums.InputFidelity,
    nullable: true,
    description: OPTIONAL,
    resolve: read('inputFidelity'),
  }),
  style: t.field({ type: enums.Style, nullable: true, description: OPTIONAL, resolve: read('style') }),
  n: t.int({ description: 'Number of requested images, 1 to 10.', resolve: read('n') }),
  partialImagesRequested: t.int({
    description: 'Number of requested partial images, 0 to 3.',
    resolve: read('partialImages'),
  }),
  markup: t.field({
    type: ImageRef,
    nullable: true,
    description: 'Image with hints drawn for the edit. Null without one.',
    async resolve(task, _, context) {
      const { markup } = task.request
      if (markup && 'assetId' in markup) return (await findAnyAsset(context.db.read, markup.assetId)) ?? null
      return (await assetsOf(task, context, 'MARKUP'))[0] ?? null
    },
  }),
  complexity: t.field({
    type: enums.Complexity,
    nullable: true,
    description: OPTIONAL,
    resolve: later('complexity'),
  }),
  animation: t.field({
    type: AnimationRef,
    nullable: true,
    description: 'As requested, for GIF only. Null without.',
    resolve: later('animation'),
  }),
  svg: t.field({
    type: SvgAuthorRef,
    nullable: true,
    description: 'As requested, for SVG only. Null leaves the author to the provider.',
    resolve: later('svg'),
  }),
  extra: t.field({
    type: 'JSON',
    nullable: true,
    description: 'Parameters by their name at the provider, as requested. Null without any.',
    resolve: later('extra'),
  }),
  safetyIdentifier: t.string({
    nullable: true,
    description: "Identifier of the caller's end user. Null without one.",
    resolve: read('user'),
  }),
  user: t.string({
    nullable: true,
    deprecationReason: 'Since 2026-11-30: use safetyIdentifier, which has the same value.',
    description: "Identifier of the caller's end user. Null without one.",
    resolve: read('user'),
  }),
  metadata: t.field({
    type: [MetadataRef],
    description: "The caller's labels, at most 16: those of the request, or as changed by updateTask.",
    resolve: ({ request }) => Object.entries(request.metadata).map(([key, value]) => ({ key, value })),
  }),
  callbackUrl: t.field({
    type: 'URL',
    nullable: true,
    description:
      'Receiver of a signed POST at the end, besides the webhooks of the project. Null without one.',
    resolve: read('callbackUrl'),
  }),
  unsupported: t.field({
    type: enums.UnsupportedSettingPolicy,
    description: 'As requested: whether an unsupported setting is a warning or an error.',
    resolve: read('unsupported'),
  }),
  onUnknownOutcome: t.field({
    type: enums.UnknownOutcomePolicy,
    description: 'As requested: whether a request is sent again after its response was lost.',
    resolve: read('onUnknownOutcome'),
  }),
}))
