// Rules of the input alone.
import {
  DEFAULT_POLICIES,
  DEFAULT_SETTINGS,
  parseSize,
  type Extra,
  type ImageRequest,
  type Operation,
} from '../../domain.ts'
import { badInput } from '../../errors.ts'
import { EXTRA_NAME, MAX_FRAME_DURATION_MS, MAX_FRAMES } from '../../providers/models/offers.ts'
import { checkUrl, type AddressRule } from '../../providers/wire/address.ts'
import type { RawImage, RawInput } from '../images/store-inputs.ts'

export interface TaskInput extends Omit<
  ImageRequest,
  'operation' | 'images' | 'mask' | 'markup' | 'metadata'
> {
  images: readonly RawImage[]
  mask: RawImage | null
  markup: RawImage | null
  metadata: readonly { key: string; value: string }[]
  idempotencyKey: string | null
}

/** Without the prompt, which has no default. */
export const DEFAULT_INPUT: Omit<TaskInput, 'prompt'> = {
  ...DEFAULT_SETTINGS,
  ...DEFAULT_POLICIES,
  providers: null,
  images: [],
  mask: null,
  markup: null,
  metadata: [],
  callbackUrl: null,
  idempotencyKey: null,
}

export interface CheckedInput extends TaskInput {
  operation: Operation
  /** Images, then mask or markup. */
  inputs: RawInput[]
  /** Sent with the request. */
  uploadBytes: number
}

/** The highest of all providers (platform.openai.com, images/edits). */
export const MAX_IMAGES = 16

export const MAX_LABELS = 16
const MAX_EXTRA_NAMES = 16
const MAX_EXTRA_CHARACTERS = 4096
const MAX_MODEL_CHARACTERS = 128

export const ONE_GUIDE = 'mask and markup cannot be combined. Send only one of them.'

type InputProblem = [field: string, message: string]

/** Before any read, write or call. Throws BAD_USER_INPUT. */
export function checkInput(
  input: TaskInput,
  rules: { inputRule: AddressRule; webhookRule: AddressRule },
): CheckedInput {
  const operation = input.images.length > 0 ? 'EDIT' : 'GENERATE'
  const inputs = listInputs(input)
  const checked = {
    ...input,
    ...identifierOf(input),
    operation,
    inputs,
    uploadBytes: uploadBytesOf(inputs),
  } as const
  const [problem] = findProblems(checked, rules)
  if (problem) throw badInput(...problem)
  return checked
}

/** An empty `safetyIdentifier` counts as absent. `user` always holds the identifier: reports read it. */
function identifierOf({ user, safetyIdentifier }: TaskInput): Pick<TaskInput, 'user' | 'safetyIdentifier'> {
  return safetyIdentifier ? { user: safetyIdentifier, safetyIdentifier } : { user, safetyIdentifier: null }
}

function listInputs({ images, mask, markup }: TaskInput): RawInput[] {
  const all: RawInput[] = images.map((raw, i) => ({ raw, field: `images.${i}`, kind: 'INPUT', position: i }))
  if (mask) all.push({ raw: mask, field: 'mask', kind: 'MASK', position: 0 })
  if (markup) all.push({ raw: markup, field: 'markup', kind: 'MARKUP', position: 0 })
  return all
}

function uploadBytesOf(inputs: RawInput[]): number {
  return inputs.reduce((sum, { raw }) => {
    if ('upload' in raw) return sum + raw.upload.byteSize
    // Four characters of base64 are three bytes.
    return 'dataUrl' in raw ? sum + Math.floor((raw.dataUrl.length * 3) / 4) : sum
  }, 0)
}

/** Callers stop at the first. */
function* findProblems(
  input: CheckedInput,
  { inputRule, webhookRule }: Parameters<typeof checkInput>[1],
): Generator<InputProblem> {
  const { prompt, size, providers, callbackUrl } = input
  yield* checkText('prompt', prompt)
  if (prompt.trim() === '') yield ['prompt', 'prompt is empty. Describe the image.']
  if (size !== 'auto' && !parseSize(size)) {
    const shown = JSON.stringify(size.slice(0, 40))
    yield ['size', `size is ${shown}. Use auto, or WIDTHxHEIGHT such as 1024x1024.`]
  }
  yield* checkRange('n', input.n, 1, 10)
  yield* checkRange('partialImages', input.partialImages, 0, 3)
  yield* checkRange('maxCharges', input.maxCharges, 1, 5)
  yield* checkOutput(input)
  yield* checkFormatSettings(input)
  yield* checkImages(input)
  yield* checkLabels(input)
  if (input.extra) yield* checkExtra(input.extra)
  if (providers?.length === 0)
    yield ['providers', 'providers is empty. Name at least one, or leave it out to allow all.']
  if (callbackUrl !== null) yield* checkAddress('callbackUrl', 'The callbackUrl', callbackUrl, webhookRule)
  for (const { field, raw } of input.inputs)
    if ('url' in raw) yield* checkAddress(field, 'The address', raw.url, inputRule)
}

function* checkOutput({ outputCompression, outputFormat, background }: TaskInput): Generator<InputProblem> {
  if (outputCompression !== null) {
    yield* checkRange('outputCompression', outputCompression, 0, 100)
    if (outputFormat !== 'JPEG' && outputFormat !== 'WEBP')
      yield ['outputCompression', `${outputFormat} has no compression level. Use outputFormat JPEG or WEBP.`]
  }
  if (background === 'TRANSPARENT' && outputFormat === 'JPEG')
    yield ['background', 'JPEG cannot be transparent. Use outputFormat PNG or WEBP.']
}

function* checkFormatSettings({ outputFormat, animation, svg }: TaskInput): Generator<InputProblem> {
  if (animation) {
    const { frames, frameDurationMs } = animation
    if (outputFormat !== 'GIF') yield ['animation', 'animation is for outputFormat GIF only.']
    if (frames !== null) yield* checkRange('animation.frames', frames, 1, MAX_FRAMES)
    if (frameDurationMs !== null)
      yield* checkRange('animation.frameDurationMs', frameDurationMs, 1, MAX_FRAME_DURATION_MS)
  }
  if (!svg) return
  if (outputFormat !== 'SVG') yield ['svg', 'svg is for outputFormat SVG only.']
  yield* checkText('svg.model', svg.model)
  if (svg.model === '' || svg.model.length > MAX_MODEL_CHARACTERS)
    yield [
      'svg.model',
      `svg.model has ${svg.model.length} characters; it must have 1 to ${MAX_MODEL_CHARACTERS}.`,
    ]
}

function* checkExtra(extra: Extra): Generator<InputProblem> {
  const names = Object.keys(extra)
  if (names.length > MAX_EXTRA_NAMES)
    yield ['extra', `extra has ${names.length} parameters; the maximum is ${MAX_EXTRA_NAMES}.`]
  const odd = names.find((name) => !EXTRA_NAME.test(name))
  if (odd !== undefined)
    yield [
      'extra',
      `extra has the name ${JSON.stringify(odd.slice(0, 70))}; a name is a letter and up to 63 letters, digits, dots, dashes or underscores.`,
    ]
  const text = JSON.stringify(extra)
  if (text.length > MAX_EXTRA_CHARACTERS)
    yield ['extra', `extra has ${text.length} characters as JSON; the maximum is ${MAX_EXTRA_CHARACTERS}.`]
  // JSON escapes exactly these: NUL and halves of surrogate pairs.
  if (/(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f])/i.test(text)) yield* checkText('extra', '\0')
}

function* checkImages({ images, mask, markup }: TaskInput): Generator<InputProblem> {
  yield* checkCount('images', images.length, MAX_IMAGES)
  for (const [field, given] of Object.entries({ mask, markup }))
    if (given && images.length === 0) yield [field, `${field} needs an image to apply to. Add images.`]
  if (mask && markup) yield ['markup', ONE_GUIDE]
}

function* checkLabels({
  user,
  safetyIdentifier,
  metadata,
  idempotencyKey,
}: TaskInput): Generator<InputProblem> {
  if (user !== null) {
    const field = safetyIdentifier === null ? 'user' : 'safetyIdentifier'
    yield* checkText(field, user)
    if (user.length < 1 || user.length > 256)
      yield [field, `${field} has ${user.length} characters; it must have 1 to 256.`]
  }
  yield* checkMetadata('metadata', metadata)
  if (idempotencyKey !== null && !/^[\x21-\x7e]{1,255}$/.test(idempotencyKey))
    yield ['idempotencyKey', 'idempotencyKey must be 1 to 255 printable ASCII characters without spaces.']
}

/** A null value removes its label. */
export type MetadataChange = { key: string; value: string | null }

/** Stop at the first problem. */
export function* checkMetadata(field: string, metadata: readonly MetadataChange[]): Generator<InputProblem> {
  yield* checkCount(field, metadata.length, MAX_LABELS)
  const keys = new Set<string>()
  for (const [i, { key, value }] of metadata.entries()) {
    const [keyField, valueField] = [`${field}.${i}.key`, `${field}.${i}.value`]
    if (!/^[\w.-]{1,64}$/.test(key))
      yield [keyField, 'A metadata key must be 1 to 64 letters, digits, dots, dashes or underscores.']
    if (keys.has(key)) yield [keyField, `The metadata key ${key} is used twice.`]
    keys.add(key)
    if (value === null) continue
    yield* checkText(valueField, value)
    if (value.length > 500)
      yield [valueField, `The value of ${key} has ${value.length} characters; the maximum is 500.`]
  }
}

function* checkText(field: string, text: string): Generator<InputProblem> {
  if (!text.isWellFormed() || text.includes('\0'))
    yield [field, `${field} is not valid text: it contains NUL or half of a surrogate pair.`]
}

function* checkRange(field: string, value: number, min: number, max: number): Generator<InputProblem> {
  if (!Number.isInteger(value) || value < min || value > max)
    yield [field, `${field} is ${value}; it must be a whole number from ${min} to ${max}.`]
}

function* checkCount(field: string, count: number, max: number): Generator<InputProblem> {
  if (count > max) yield [field, `${field} has ${count} entries; the maximum is ${max}.`]
}

function* checkAddress(field: string, name: string, url: string, rule: AddressRule): Generator<InputProblem> {
  const problem = checkUrl(url, rule)
  if (problem) yield [field, `${name} ${problem}.`]
}
