import type { ImageRequest } from '../../domain.ts'
import { parseSize } from '../../domain.ts'
import { badInput } from '../../errors.ts'
import type { RawImage } from '../images/input-images.ts'

/** What a client asks for, every default filled in, nothing checked yet. */
export interface TaskInput extends Omit<ImageRequest, 'operation' | 'images' | 'mask' | 'metadata'> {
  images: RawImage[]
  mask: RawImage | null
  metadata: { key: string; value: string }[]
  idempotencyKey: string | null
}

/** The most input images any upstream takes (platform.openai.com, images/edits). */
export const MAX_IMAGES = 16

/**
 * Checks everything that can be judged from the input alone, before anything is read, stored or sent. Throws
 * GatewayError BAD_USER_INPUT that names the field, the value and what would be right.
 */
export function checkInput(input: TaskInput): void {
  checkText('prompt', input.prompt)
  if (input.prompt.trim() === '') throw badInput('prompt', 'The prompt is empty. Say what the image shows.')
  if (input.size !== 'auto' && !parseSize(input.size)) {
    throw badInput(
      'size',
      `${JSON.stringify(input.size.slice(0, 40))} is not a size. Write auto, or WIDTHxHEIGHT such as 1024x1024.`,
    )
  }
  checkRange('n', input.n, 1, 10)
  checkRange('partialImages', input.partialImages, 0, 3)
  checkRange('maxCharges', input.maxCharges, 1, 5)
  checkOutput(input)
  checkImages(input)
  checkLabels(input)
  if (input.providers?.length === 0) {
    throw badInput(
      'providers',
      'The list of providers is empty. Name at least one, or leave it out to allow all.',
    )
  }
}

function checkOutput({ outputCompression, outputFormat, background }: TaskInput): void {
  if (outputCompression !== null) {
    checkRange('outputCompression', outputCompression, 0, 100)
    if (outputFormat === 'PNG') {
      throw badInput(
        'outputCompression',
        'PNG has no compression level. Use it with outputFormat JPEG or WEBP.',
      )
    }
  }
  if (background === 'TRANSPARENT' && outputFormat === 'JPEG') {
    throw badInput('background', 'JPEG cannot be transparent. Use outputFormat PNG or WEBP.')
  }
}

function checkImages({ images, mask }: TaskInput): void {
  if (images.length > MAX_IMAGES) {
    throw badInput('images', `${images.length} input images came; at most ${MAX_IMAGES} are possible.`)
  }
  if (mask && images.length === 0) {
    throw badInput('mask', 'A mask needs an image to lie on: give images as well.')
  }
}

function checkLabels({ user, metadata, idempotencyKey }: TaskInput): void {
  if (user !== null) {
    checkText('user', user)
    if (user.length < 1 || user.length > 256)
      throw badInput('user', `The user is ${user.length} characters long; 1 to 256 are possible.`)
  }
  if (metadata.length > 16)
    throw badInput('metadata', `${metadata.length} labels came; at most 16 are possible.`)
  const keys = new Set<string>()
  metadata.forEach(({ key, value }, i) => {
    if (!/^[\w.-]{1,64}$/.test(key)) {
      throw badInput(
        `metadata.${i}.key`,
        'A label key is 1 to 64 letters, digits, dots, dashes and underscores.',
      )
    }
    if (keys.has(key)) throw badInput(`metadata.${i}.key`, `The label ${key} came twice.`)
    keys.add(key)
    checkText(`metadata.${i}.value`, value)
    if (value.length > 500)
      throw badInput(
        `metadata.${i}.value`,
        `The label ${key} is ${value.length} characters long; 500 are possible.`,
      )
  })
  if (idempotencyKey !== null && !/^[\x21-\x7e]{1,255}$/.test(idempotencyKey)) {
    throw badInput(
      'idempotencyKey',
      'An idempotency key is 1 to 255 printable ASCII characters without spaces.',
    )
  }
}

function checkText(field: string, text: string): void {
  if (!text.isWellFormed() || text.includes('\0')) {
    throw badInput(field, `The ${field} holds a NUL or half of a surrogate pair: it is not valid text.`)
  }
}

function checkRange(field: string, value: number, least: number, most: number): void {
  if (!Number.isInteger(value) || value < least || value > most) {
    throw badInput(field, `${field} is ${value}; ${least} to ${most} is possible.`)
  }
}
