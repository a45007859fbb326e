import { DEFAULT_INPUT, type TaskInput } from '../engine/tasks/input.ts'
import { badInput } from '../errors.ts'
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
import { TaskRef } from './task.ts'

const ImageInput = builder.inputType('ImageInput', {
  description: 'An input image: PNG, JPEG or WebP of up to 20 MB, given in exactly one of four ways.',
  isOneOf: true,
  fields: (t) => ({
    url: t.field({ type: 'URL', description: 'A public https address; fetched before anything is sent.' }),
    dataUrl: t.string({ description: 'data:image/png;base64,… with the bytes themselves.' }),
    upload: t.field({
      type: 'Upload',
      description: 'A file part of the same multipart request, 20 MB at most.',
    }),
    imageId: t.id({ description: 'The id of an earlier Image of the project: edit a result further.' }),
  }),
})

export const MetadataInput = builder.inputType('MetadataInput', {
  description: "A label of the caller's own on a task, never sent upstream.",
  fields: (t) => ({
    key: t.string({ required: true, description: '1 to 64 letters, digits, dots, dashes and underscores.' }),
    value: t.string({ required: true, description: 'Up to 500 characters.' }),
  }),
})

// A `defaultValue` declares in the schema what DEFAULT_INPUT applies: to absent fields and to null.
const GenerateImageInput = builder.inputType('GenerateImageInput', {
  description: 'What to paint. With `images` it is an edit, without it a generation.',
  fields: (t) => ({
    prompt: t.string({
      required: true,
      description:
        'What the image shows, or how to change it. The GPT image models take up to 32000 characters.',
    }),
    model: t.string({
      defaultValue: DEFAULT_INPUT.model,
      description: 'One that a provider serves: see Query.providers.',
    }),
    providers: t.stringList({
      description:
        'The allowed providers in order of preference. The router picks among all that can when left out.',
    }),
    images: t.field({
      type: [ImageInput],
      description: 'Up to 16 images to edit or to take as reference. Their presence makes it an edit.',
    }),
    mask: t.field({
      type: ImageInput,
      description: 'Of the size of the first image; its transparent pixels are redrawn.',
    }),
    size: t.field({
      type: 'ImageSize',
      defaultValue: DEFAULT_INPUT.size,
      description: 'auto or WIDTHxHEIGHT in pixels.',
    }),
    quality: t.field({
      type: QualityEnum,
      defaultValue: DEFAULT_INPUT.quality,
      description: 'The main factor of the price. Which a model takes is data: see Query.providers.',
    }),
    background: t.field({
      type: BackgroundEnum,
      defaultValue: DEFAULT_INPUT.background,
      description: 'TRANSPARENT needs PNG or WEBP, and a model that can.',
    }),
    moderation: t.field({
      type: ModerationEnum,
      defaultValue: DEFAULT_INPUT.moderation,
      description: "LOW asks the upstream's content filter to let more pass.",
    }),
    outputFormat: t.field({
      type: OutputFormatEnum,
      defaultValue: DEFAULT_INPUT.outputFormat,
      description: 'PNG, JPEG or WEBP: decides whether the result can be transparent or compressed.',
    }),
    outputCompression: t.int({
      description: '0 to 100, JPEG and WEBP only; the upstream chooses when left out.',
    }),
    inputFidelity: t.field({
      type: InputFidelityEnum,
      description: 'Edits only; the upstream chooses when left out.',
    }),
    style: t.field({ type: StyleEnum, description: 'dall-e-3 only; the upstream chooses when left out.' }),
    n: t.int({ defaultValue: DEFAULT_INPUT.n, description: 'How many images, 1 to 10.' }),
    partialImages: t.int({
      defaultValue: DEFAULT_INPUT.partialImages,
      description: 'How many previews to ask for, 0 to 3. Each costs 100 output tokens at OpenAI.',
    }),
    user: t.string({ description: "The caller's own end user, for abuse control; 1 to 256 characters." }),
    metadata: t.field({
      type: [MetadataInput],
      description: 'Up to 16 labels, each key once; kept with the task and never sent upstream.',
    }),
    callbackUrl: t.field({
      type: 'URL',
      description:
        'A public https address that is sent a signed POST when the task ends: see Query.webhookSecret.',
    }),
    idempotencyKey: t.string({
      description:
        '1 to 255 printable characters, here or in the Idempotency-Key header. The same key with the same input is the ' +
        'same task, however often it is sent.',
    }),
    unsupported: t.field({
      type: UnsupportedEnum,
      defaultValue: DEFAULT_INPUT.unsupported,
      description: 'What to do about a setting that no provider can honour.',
    }),
    onUnknownOutcome: t.field({
      type: OnUnknownOutcomeEnum,
      defaultValue: DEFAULT_INPUT.onUnknownOutcome,
      description: 'What to do when an answer is lost after sending.',
    }),
    maxCharges: t.int({
      defaultValue: DEFAULT_INPUT.maxCharges,
      description: 'How many possible charges this task may have, 1 to 5.',
    }),
  }),
})

builder.mutationFields((t) => ({
  generateImage: t.field({
    type: TaskRef,
    description:
      'Asks for an image. Answers with the task at once, when it is stored; the picture is made whether the caller ' +
      'stays or not. Bad input is refused here, before anything is stored or sent.',
    extensions: { scope: 'GENERATE', paid: true },
    args: {
      input: t.arg({
        type: GenerateImageInput,
        required: true,
        description: 'The prompt, and every setting that shall not be at its default.',
      }),
    },
    async resolve(_, { input }, { engine, caller, idempotencyKey }) {
      const { task, replayed } = await engine.create(caller, readInput(input, idempotencyKey))
      return Object.assign(task, { replayed })
    },
  }),
  cancelTask: t.field({
    type: TaskRef,
    description:
      'Stops a task as far as that is possible: free of charge before it was sent. A provider that is already at work ' +
      'is paid; its result is stored, and the task ends as CANCELED. Canceling twice is canceling once.',
    extensions: { scope: 'GENERATE' },
    args: { id: t.arg.id({ required: true, description: 'Of a task that has not ended.' }) },
    resolve: (_, { id }, { engine, projectId }) => engine.cancel(projectId, id),
  }),
  retryTask: t.field({
    type: TaskRef,
    description:
      'Tries again. A FAILED or CANCELED task stays as it is and a new one is answered, `retryOf` naming the old; one ' +
      'with OUTCOME_UNKNOWN goes on itself.',
    extensions: { scope: 'GENERATE', paid: true },
    args: {
      id: t.arg.id({
        required: true,
        description: 'Of a task that FAILED, was CANCELED or has OUTCOME_UNKNOWN.',
      }),
      acceptPossibleSecondCharge: t.arg.boolean({
        defaultValue: false,
        description: 'Needed when an earlier attempt was or may have been charged.',
      }),
    },
    resolve: (_, { id, acceptPossibleSecondCharge }, { engine, caller }) =>
      engine.retry(caller, id, { acceptPossibleSecondCharge: acceptPossibleSecondCharge ?? false }),
  }),
}))

/** The input with defaults for absent fields and for null. The idempotency key may be in the header instead. */
function readInput(input: typeof GenerateImageInput.$inferInput, header: string | null): TaskInput {
  const given = { ...DEFAULT_INPUT, ...withoutNulls(input) }
  if (header === null || header === given.idempotencyKey) return given
  if (given.idempotencyKey === null) return { ...given, idempotencyKey: header }
  throw badInput(
    'idempotencyKey',
    'The Idempotency-Key header and the idempotencyKey of the input differ; give one.',
  )
}

function withoutNulls<T extends object>(input: T): { [K in keyof T]: NonNullable<T[K]> } {
  const given = Object.entries(input).filter(([, value]) => value !== null)
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the same entries, less those of null
  return Object.fromEntries(given) as { [K in keyof T]: NonNullable<T[K]> }
}
