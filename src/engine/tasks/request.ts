import { createHash } from 'node:crypto'
import type { ImageRequest } from '../../domain.ts'
import type { StoredInputs } from '../images/store-inputs.ts'
import type { CheckedInput } from './input.ts'

/** A request as it is stored with its task, and the fingerprint that tells a repeated request from a reused key. */
export interface FingerprintedRequest {
  request: ImageRequest
  /** SHA-256 over the request and the content of its images: equal for equal requests, in whichever way images arrive. */
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
