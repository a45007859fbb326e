import { DEFAULT_INPUT, type TaskInput } from '../../engine/tasks/input.ts'
import type { Extra } from '../../domain.ts'
import { badInput } from '../../errors.ts'
import { builder, withoutNulls } from '../builder.ts'
import * as enums from '../enums.ts'
import { exposeAll, exposeNullable } from '../expose.ts'
import { mutation } from '../mutation.ts'
import { requires } from '../scopes.ts'
import { TaskRef } from './task.ts'

const AnimationInput = builder.inputType('AnimationInput', {
  description: 'Frames of a GIF.',
  fields: (t) => ({
    frames: t.int({
      description: "Number of frames within `Capabilities.animation`. The provider's default if absent.",
    }),
    frameDurationMs: t.int({
      description:
        "Duration of each frame in milliseconds, 1 to 655350, rounded to the model's step. The provider's default if absent.",
    }),
  }),
})

const SvgInput = builder.inputType('SvgInput', {
  description: 'The model that writes an SVG. The model of the request makes its reference image.',
  fields: (t) => ({
    model: t.string({
      required: true,
      description: 'Name of the author, 1 to 128 characters; see `Capabilities.svg`.',
    }),
    effort: t.field({
      type: enums.SvgEffort,
      description: "Reasoning effort. The author's default if absent.",
    }),
  }),
})

const ImageInput = builder.inputType('ImageInput', {
  description:
    'An input image: PNG, JPEG or WebP of up to 20 MiB, given in exactly one of four ways. Embedded metadata is removed.',
  isOneOf: true,
  fields: (t) => ({
    url: t.field({
      type: 'URL',
      description: 'Public https URL on port 443 or 80, fetched before the provider is called.',
    }),
    dataUrl: t.string({
      description: 'Data URL with the bytes in base64: data:image/png;base64,… (or jpeg, or webp).',
    }),
    upload: t.field({ type: 'Upload', description: 'File part of the same multipart request.' }),
    imageId: t.id({ description: 'Id of an Image of the project, such as an earlier result.' }),
  }),
})

export const MetadataInput = builder.inputType('MetadataInput', {
  description: "A label of the caller's own on a task. It is not sent to providers.",
  fields: (t) => ({
    key: t.string({ required: true, description: '1 to 64 letters, digits, dots, dashes and underscores.' }),
    value: t.string({ required: true, description: 'Text of up to 500 characters.' }),
  }),
})

export const REPLAYED =
  'Whether the idempotency key was known, so that no new task was created. False without a key.'

type InputFields = PothosSchemaTypes.InputFieldBuilder<typeof builder.$inferSchemaTypes, 'InputObject'>

// `defaultValue` declares what DEFAULT_INPUT applies to absent fields and null.
const settingFields = (t: InputFields) => ({
  prompt: t.string({
    required: true,
    description:
      'Description of the image or of the edit, not empty. The GPT image models accept up to 32000 characters.',
  }),
  model: t.string({
    defaultValue: DEFAULT_INPUT.model,
    description: 'Name of a model in `Provider.models`. Errors: MODEL_UNKNOWN.',
  }),
  providers: t.stringList({
    description:
      'Names of the allowed providers in order of preference, at least one. By default, all that support the request. ' +
      'Errors: PROVIDER_UNKNOWN.',
  }),
  size: t.field({
    type: 'ImageSize',
    defaultValue: DEFAULT_INPUT.size,
    description: 'auto, or WIDTHxHEIGHT in pixels as in `Capabilities.sizes`.',
  }),
  quality: t.field({
    type: enums.Quality,
    defaultValue: DEFAULT_INPUT.quality,
    description: 'Amount of work per image, the main factor of its price.',
  }),
  background: t.field({
    type: enums.Background,
    defaultValue: DEFAULT_INPUT.background,
    description: 'TRANSPARENT requires the format PNG or WEBP, and a model that supports it.',
  }),
  moderation: t.field({
    type: enums.Moderation,
    defaultValue: DEFAULT_INPUT.moderation,
    description: "LOW makes the provider's content filter less strict.",
  }),
  outputFormat: t.field({
    type: enums.OutputFormat,
    defaultValue: DEFAULT_INPUT.outputFormat,
    description: 'File format of the results. JPEG excludes transparency, PNG excludes compression.',
  }),
  outputCompression: t.int({
    description:
      '0 (smallest file) to 100 (best image), for JPEG and WEBP only. Chosen by the provider by default.',
  }),
  inputFidelity: t.field({
    type: enums.InputFidelity,
    description: 'Edits only. Chosen by the provider by default.',
  }),
  style: t.field({ type: enums.Style, description: 'dall-e-3 only. Chosen by the provider by default.' }),
  n: t.int({ defaultValue: DEFAULT_INPUT.n, description: 'Number of images, 1 to 10.' }),
  partialImages: t.int({
    defaultValue: DEFAULT_INPUT.partialImages,
    description:
      'Number of partial images to request, 0 to 3. Fewer may arrive. Each costs 100 output tokens at OpenAI.',
  }),
  safetyIdentifier: t.string({
    description:
      "Stable identifier of the caller's end user, 1 to 256 characters, without personal data. For reports, and sent to " +
      'providers that accept it for abuse control. Precedes `user`; an empty one counts as absent.',
  }),
  user: t.string({
    deprecationReason: 'Since 2026-11-30: use safetyIdentifier, its newer name.',
    description: 'As `safetyIdentifier`, which precedes it.',
  }),
  complexity: t.field({
    type: enums.Complexity,
    description: 'Computation spent on planning, independent of quality. Chosen by the provider by default.',
  }),
  animation: t.field({
    type: AnimationInput,
    description: "For GIF only. By default, the provider's number of frames and durations.",
  }),
  svg: t.field({ type: SvgInput, description: 'For SVG only. Author chosen by the provider by default.' }),
  extra: t.field({
    type: 'JSON',
    description:
      'Object of parameters by their name at the provider, at most 16 and 4096 characters. Sent if the configuration of the ' +
      'provider allows the name, else a warning or an error, by `unsupported`.',
  }),
  unsupported: t.field({
    type: enums.UnsupportedSettingPolicy,
    defaultValue: DEFAULT_INPUT.unsupported,
    description: 'Whether a setting that a provider does not support is a warning or an error.',
  }),
})

export const QuoteInput = builder.inputType('QuoteInput', {
  description: 'The settings of a GenerateImageInput, and the number of its images in place of the images.',
  fields: (t) => ({
    ...settingFields(t),
    imageCount: t.int({
      defaultValue: 0,
      description: 'Number of input images, 0 to 16. With at least one it is an edit.',
    }),
    mask: t.boolean({ defaultValue: false, description: 'Whether there is a mask.' }),
    markup: t.boolean({ defaultValue: false, description: 'Whether there is markup.' }),
  }),
})

export const GenerateImageInput = mutation('generateImage', {
  right: requires(
    'GENERATE',
    'Creates a task and returns it as soon as it is stored; the client does not have to stay connected. Invalid input is ' +
      'refused before anything is stored or sent. Errors: MODEL_UNKNOWN, PROVIDER_UNKNOWN, CAPABILITY_MISSING, ' +
      'IDEMPOTENCY_KEY_REUSED, BUDGET_EXCEEDED, PRICE_UNKNOWN, RATE_LIMITED, SHUTTING_DOWN.',
    { paid: true },
  ),
  input: {
    description: 'Prompt and settings. With `images` it is an edit, else a generation.',
    fields: (t) => ({
      ...settingFields(t),
      images: t.field({
        type: [ImageInput],
        description: 'Images to edit or to use as reference, at most 16. They make the task an EDIT.',
      }),
      mask: t.field({
        type: ImageInput,
        description:
          'Image of the size of the first image, with an alpha channel. Its transparent pixels are redrawn. Requires `images`.',
      }),
      markup: t.field({
        type: ImageInput,
        description:
          'Transparent PNG of the size of the first image with drawn hints for the edit. Requires `images`; excludes `mask`.',
      }),
      metadata: t.field({
        type: [MetadataInput],
        description: 'At most 16 labels with unique keys, stored with the task and not sent to providers.',
      }),
      callbackUrl: t.field({
        type: 'URL',
        description:
          'Public https URL on port 443 or 80 that receives a signed POST when the task ends or its outcome becomes unknown. ' +
          '`Query.webhookSecret` verifies it.',
      }),
      idempotencyKey: t.string({
        description:
          'Makes the request idempotent: the same key and input return the same task. 1 to 255 printable ASCII characters without ' +
          'spaces, here or in the header Idempotency-Key. Errors: IDEMPOTENCY_KEY_REUSED for other input.',
      }),
      onUnknownOutcome: t.field({
        type: enums.UnknownOutcomePolicy,
        defaultValue: DEFAULT_INPUT.onUnknownOutcome,
        description: 'Whether a request is sent again after its response was lost.',
      }),
      maxCharges: t.int({
        defaultValue: DEFAULT_INPUT.maxCharges,
        description: 'Maximum number of possible charges for each provider request of the task, 1 to 5.',
      }),
    }),
  },
  resolve: (input, { engine, caller, idempotencyKey }) =>
    engine.createTask(caller, withHeader(readInput(input), idempotencyKey)),
  payload: (t) => ({
    ...exposeNullable(t, TaskRef, { task: 'The created task, or the earlier one if `replayed`.' }),
    ...exposeAll(t, 'Boolean', { replayed: REPLAYED }),
  }),
})

/** Null is the same as absent. */
type GivenInput = Pick<TaskInput, 'prompt'> & {
  [Name in Exclude<keyof TaskInput, Nested>]?: TaskInput[Name] | null | undefined
} & {
  animation?: typeof AnimationInput.$inferInput | null | undefined
  svg?: typeof SvgInput.$inferInput | null | undefined
  extra?: unknown
}
type Nested = 'animation' | 'svg' | 'extra'

/** With defaults. */
export function readInput({ animation, svg, extra, ...input }: GivenInput): TaskInput {
  return {
    ...DEFAULT_INPUT,
    ...withoutNulls(input),
    animation: animation
      ? { frames: animation.frames ?? null, frameDurationMs: animation.frameDurationMs ?? null }
      : null,
    svg: svg ? { model: svg.model, effort: svg.effort ?? null } : null,
    extra: readExtra(extra ?? null),
  }
}

function readExtra(extra: unknown): Extra | null {
  if (extra === null) return null
  if (typeof extra === 'object' && !Array.isArray(extra)) return { ...extra }
  throw badInput('extra', 'extra is not an object. Write parameters by name, such as {"seed": 7}.')
}

/** The header may have the idempotency key. */
function withHeader(input: TaskInput, header: string | null): TaskInput {
  if (header === null || header === input.idempotencyKey) return input
  if (input.idempotencyKey === null) return { ...input, idempotencyKey: header }
  throw badInput(
    'idempotencyKey',
    'The header Idempotency-Key and input.idempotencyKey differ; send only one of them.',
  )
}
