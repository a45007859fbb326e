import { describe, expect, it } from 'vitest'
import { checkInput, type TaskInput } from '../../src/engine/tasks/input.ts'
import { toRequest } from '../../src/engine/tasks/create.ts'
import { requestRule } from '../../src/providers/wire/address.ts'
import { PLAIN } from '../support/plain-input.ts'

const RULES = { inputRule: requestRule(), webhookRule: requestRule() }
const image = { url: 'https://example.com/a.png' }
const images = (count: number) => Array.from({ length: count }, () => image)
const labels = (count: number) => Array.from({ length: count }, (_, i) => ({ key: `k${i}`, value: 'v' }))

describe('a valid input', () => {
  it.each<[what: string, input: Partial<TaskInput>]>([
    ['with only a prompt', {}],
    [
      'with the maximum of everything',
      { n: 10, partialImages: 3, maxCharges: 5, images: images(16), metadata: labels(16) },
    ],
    ['with a size in pixels', { size: '1536x1024' }],
    ['with the smallest JPEG', { outputFormat: 'JPEG', outputCompression: 0 }],
    ['with the best WebP', { outputFormat: 'WEBP', outputCompression: 100 }],
    ['transparent as WebP', { background: 'TRANSPARENT', outputFormat: 'WEBP' }],
    ['with a mask on an image', { images: [image], mask: image }],
    ['with emoji and line breaks in the prompt', { prompt: 'a fox 🦊\nin the snow' }],
    ['with a key of 255 characters', { idempotencyKey: 'x'.repeat(255) }],
  ])('is accepted %s', (_, input) => {
    expect(() => checkInput({ ...PLAIN, ...input }, RULES)).not.toThrow()
  })
})

describe('an invalid input', () => {
  it.each<[field: string, why: string, input: Partial<TaskInput>, says: RegExp]>([
    ['prompt', 'that is empty', { prompt: '' }, /empty/],
    ['prompt', 'of only white space', { prompt: ' \n\t' }, /empty/],
    ['prompt', 'with a NUL', { prompt: 'a\0b' }, /NUL/],
    ['prompt', 'with half a surrogate pair', { prompt: 'a\ud800' }, /surrogate/],
    ['size', 'that is a word', { size: 'large' }, /WIDTHxHEIGHT/],
    ['size', 'in capitals', { size: '1024X1024' }, /WIDTHxHEIGHT/],
    ['size', 'without an edge', { size: '0x1024' }, /WIDTHxHEIGHT/],
    ['n', 'of none', { n: 0 }, /1 to 10/],
    ['n', 'of eleven', { n: 11 }, /1 to 10/],
    ['n', 'of one and a half', { n: 1.5 }, /1 to 10/],
    ['partialImages', 'of four', { partialImages: 4 }, /0 to 3/],
    ['maxCharges', 'of six', { maxCharges: 6 }, /1 to 5/],
    ['outputCompression', 'above 100', { outputFormat: 'JPEG', outputCompression: 101 }, /0 to 100/],
    ['outputCompression', 'for PNG', { outputCompression: 50 }, /PNG/],
    ['background', 'transparent as JPEG', { background: 'TRANSPARENT', outputFormat: 'JPEG' }, /JPEG/],
    ['images', 'of seventeen', { images: images(17) }, /maximum is 16/],
    ['mask', 'without an image', { mask: image }, /needs an image/],
    ['user', 'that is empty', { user: '' }, /1 to 256/],
    ['user', 'of 257 characters', { user: 'u'.repeat(257) }, /1 to 256/],
    ['metadata', 'of seventeen labels', { metadata: labels(17) }, /maximum is 16/],
    ['metadata.0.key', 'with a space', { metadata: [{ key: 'a b', value: '' }] }, /letters/],
    [
      'metadata.1.key',
      'given twice',
      {
        metadata: [
          { key: 'a', value: '1' },
          { key: 'a', value: '2' },
        ],
      },
      /twice/,
    ],
    ['metadata.0.value', 'of 501 characters', { metadata: [{ key: 'a', value: 'v'.repeat(501) }] }, /500/],
    ['metadata.0.value', 'with a NUL', { metadata: [{ key: 'a', value: '\0' }] }, /NUL/],
    ['idempotencyKey', 'that is empty', { idempotencyKey: '' }, /1 to 255/],
    ['idempotencyKey', 'of 256 characters', { idempotencyKey: 'x'.repeat(256) }, /1 to 255/],
    ['idempotencyKey', 'with a space', { idempotencyKey: 'a b' }, /1 to 255/],
    ['providers', 'that are empty', { providers: [] }, /empty/],
    ['callbackUrl', 'on this machine', { callbackUrl: 'https://127.0.0.1/ended' }, /^The callbackUrl /],
    [
      'images.1',
      'at a private address',
      { images: [image, { url: 'https://10.0.0.1/a.png' }] },
      /^The address /,
    ],
    ['mask', 'without TLS', { images: [image], mask: { url: 'http://example.com/m.png' } }, /^The address /],
  ])('is refused for a %s %s', (field, _, input, says) => {
    const refusal = {
      name: 'GatewayError',
      code: 'BAD_USER_INPUT',
      field,
      message: expect.stringMatching(says),
    }
    expect(() => checkInput({ ...PLAIN, ...input }, RULES)).toThrow(expect.objectContaining(refusal))
  })
})

const fingerprintOf = (input: Partial<TaskInput>) => {
  const checked = checkInput({ ...PLAIN, prompt: 'a fox', ...input }, RULES)
  const stored = checked.images.map((_, i) => ({
    image: { assetId: `img_${i}` },
    row: undefined,
    facts: undefined,
    identity: `content ${i}`,
  }))
  return toRequest(checked, { images: stored, mask: null, markup: null }).fingerprint
}

describe('the fingerprint of a request', () => {
  it('is stable across versions, so that a replay after an upgrade finds its task', () => {
    expect(fingerprintOf({ prompt: PLAIN.prompt })).toBe(
      '095bf9051aa5f197f5f15e74834d870e9eed1476fa7b24a47386c52eccf492b6',
    )
  })

  it('does not depend on the idempotency key, the order of labels or the form of an image', () => {
    const [a, b] = [
      { key: 'a', value: '1' },
      { key: 'b', value: '2' },
    ]
    const one = fingerprintOf({ metadata: [a, b], images: [image], idempotencyKey: 'k' })
    expect(fingerprintOf({ metadata: [b, a], images: [{ imageId: 'img_7' }] })).toBe(one)
    expect(fingerprintOf({ metadata: [a, b] })).not.toBe(one)
  })
})
