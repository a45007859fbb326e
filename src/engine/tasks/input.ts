// The input of a task, and what can be wrong with it as far as the input alone tells.
import {
  DEFAULT_POLICIES,
  DEFAULT_SETTINGS,
  parseSize,
  type ImageRequest,
  type Operation,
} from '../../domain.ts'
import { badInput } from '../../errors.ts'
import { checkUrl, type AddressRule } from '../../providers/wire/address.ts'
import type { RawImage, RawInput } from '../images/store-inputs.ts'

/** What a client asks for, defaults applied, nothing checked yet. */
export interface TaskInput extends Omit<ImageRequest, 'operation' | 'images' | 'mask' | 'metadata'> {
  images: readonly RawImage[]
  mask: RawImage | null
  metadata: readonly { key: string; value: string }[]
  idempotencyKey: string | null
}

/** Every field but the prompt at its default. */
export const DEFAULT_INPUT: Omit<TaskInput, 'prompt'> = {
  ...DEFAULT_SETTINGS,
  ...DEFAULT_POLICIES,
  providers: null,
  images: [],
  mask: null,
  metadata: [],
  callbackUrl: null,
  idempotencyKey: null,
}

/** Checked input, with what follows from it. */
export interface CheckedInput extends TaskInput {
  operation: Operation
  /** The images, then the mask. */
  inputs: RawInput[]
  /** The size of the images that arrived with it; those given by address or id count 0. */
  uploadBytes: number
}

/** The most input images any upstream takes (platform.openai.com, images/edits). */
export const MAX_IMAGES = 16

/**
 * Checks everything that the input alone decides, before anything is read, stored or sent. Throws GatewayError
 * BAD_USER_INPUT that names the field, the value and the rule.
 */
export function checkInput(
  input: TaskInput,
  rules: { inputRule: AddressRule; webhookRule: AddressRule },
): CheckedInput {
  const operation = input.images.length > 0 ? 'EDIT' : 'GENERATE'
  const inputs = listInputs(input)
  const checked = { ...input, operation, inputs, uploadBytes: uploadBytesOf(inputs) } as const
  const [problem] = findProblems(checked, rules)
  if (problem) throw badInput(...problem)
  return checked
}

/** The images and the mask, each with its field and its place. */
function listInputs({ images, mask }: TaskInput): RawInput[] {
  const all: RawInput[] = images.map((raw, i) => ({ raw, field: `images.${i}`, kind: 'INPUT', position: i }))
  return mask ? [...all, { raw: mask, field: 'mask', kind: 'MASK', position: 0 }] : all
}

function uploadBytesOf(inputs: RawInput[]): number {
  return inputs.reduce((sum, { raw }) => {
    if ('upload' in raw) return sum + raw.upload.size
    // Four characters of base64 are three bytes.
    return 'dataUrl' in raw ? sum + Math.floor((raw.dataUrl.length * 3) / 4) : sum
  }, 0)
}

type Problem = [field: string, message: string]

/** The problems in the order in which they are reported; the caller stops at the first. */
function* findProblems(
  input: CheckedInput,
  { inputRule, webhookRule }: Parameters<typeof checkInput>[1],
): Generator<Problem> {
  const { prompt, size, providers, callbackUrl } = input
  yield* inText('prompt', prompt)
  if (prompt.trim() === '') yield ['prompt', 'The prompt is empty. Say what the image shows.']
  if (size !== 'auto' && !parseSize(size)) {
    const shown = JSON.stringify(size.slice(0, 40))
    yield ['size', `${shown} is not a size. Write auto, or WIDTHxHEIGHT such as 1024x1024.`]
  }
  yield* inRange('n', input.n, 1, 10)
  yield* inRange('partialImages', input.partialImages, 0, 3)
  yield* inRange('maxCharges', input.maxCharges, 1, 5)
  yield* inOutput(input)
  yield* inImages(input)
  yield* inLabels(input)
  if (providers?.length === 0)
    yield ['providers', 'The list of providers is empty. Name at least one, or leave it out to allow all.']
  if (callbackUrl !== null) yield* inAddress('callbackUrl', 'The callbackUrl', callbackUrl, webhookRule)
  for (const { field, raw } of input.inputs)
    if ('url' in raw) yield* inAddress(field, 'The address', raw.url, inputRule)
}

function* inOutput({ outputCompression, outputFormat, background }: TaskInput): Generator<Problem> {
  if (outputCompression !== null) {
    yield* inRange('outputCompression', outputCompression, 0, 100)
    if (outputFormat === 'PNG')
      yield ['outputCompression', 'PNG has no compression level. Use it with outputFormat JPEG or WEBP.']
  }
  if (background === 'TRANSPARENT' && outputFormat === 'JPEG')
    yield ['background', 'JPEG cannot be transparent. Use outputFormat PNG or WEBP.']
}

function* inImages({ images, mask }: TaskInput): Generator<Problem> {
  if (images.length > MAX_IMAGES)
    yield ['images', `${images.length} input images came; at most ${MAX_IMAGES} are possible.`]
  if (mask && images.length === 0) yield ['mask', 'A mask needs an image to lie on: give images as well.']
}

function* inLabels({ user, metadata, idempotencyKey }: TaskInput): Generator<Problem> {
  if (user !== null) {
    yield* inText('user', user)
    if (user.length < 1 || user.length > 256)
      yield ['user', `The user is ${user.length} characters long; 1 to 256 are possible.`]
  }
  if (metadata.length > 16) yield ['metadata', `${metadata.length} labels came; at most 16 are possible.`]
  const keys = new Set<string>()
  for (const [i, { key, value }] of metadata.entries()) {
    const [ofKey, ofValue] = [`metadata.${i}.key`, `metadata.${i}.value`]
    if (!/^[\w.-]{1,64}$/.test(key))
      yield [ofKey, 'A label key is 1 to 64 letters, digits, dots, dashes and underscores.']
    if (keys.has(key)) yield [ofKey, `The label ${key} came twice.`]
    keys.add(key)
    yield* inText(ofValue, value)
    if (value.length > 500)
      yield [ofValue, `The label ${key} is ${value.length} characters long; 500 are possible.`]
  }
  if (idempotencyKey !== null && !/^[\x21-\x7e]{1,255}$/.test(idempotencyKey))
    yield ['idempotencyKey', 'An idempotency key is 1 to 255 printable ASCII characters without spaces.']
}

function* inText(field: string, text: string): Generator<Problem> {
  if (!text.isWellFormed() || text.includes('\0'))
    yield [field, `The ${field} holds a NUL or half of a surrogate pair: it is not valid text.`]
}

function* inRange(field: string, value: number, min: number, max: number): Generator<Problem> {
  if (!Number.isInteger(value) || value < min || value > max)
    yield [field, `${field} is ${value}; ${min} to ${max} is possible.`]
}

function* inAddress(field: string, name: string, url: string, rule: AddressRule): Generator<Problem> {
  const problem = checkUrl(url, rule)
  if (problem) yield [field, `${name} ${problem}.`]
}
