import { createHash } from 'node:crypto'
import type { ImageRequest } from '../../domain.ts'
import type { StoredInputs } from '../images/store-inputs.ts'
import type { CheckedInput } from './input.ts'

export interface FingerprintedRequest {
  request: ImageRequest
  /**
   * SHA-256 over the request and the content of its images. Tells a repeated request from a reused idempotency key,
   * however the images were sent.
   */
  fingerprint: string
}

/** Pure. */
export function toRequest(input: CheckedInput, { images, mask }: StoredInputs): FingerprintedRequest {
  const {
    idempotencyKey: _key,
    uploadBytes: _bytes,
    inputs: _inputs,
    images: _images,
    mask: _mask,
    metadata,
    ...settings
  } = input
  const labels = metadata.map(({ key, value }): [string, string] => [key, value])
  const canonical = JSON.stringify([
    Object.entries(settings).toSorted(byName),
    labels.toSorted(byName),
    images.map(({ identity }) => identity),
    mask?.identity ?? null,
  ])
  return {
    request: {
      ...settings,
      images: images.map(({ image }) => image),
      mask: mask?.image ?? null,
      metadata: Object.fromEntries(labels),
    },
    fingerprint: createHash('sha256').update(canonical).digest('hex'),
  }
}

function byName([a]: [string, unknown], [b]: [string, unknown]): number {
  return a < b ? -1 : 1
}
