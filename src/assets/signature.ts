// Addresses of assets that speak for themselves: whoever has one may fetch that asset, in that size, for a while.
import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Clock } from '../clock.ts'
import { assetPath, type RenditionSpec } from './address.ts'

/** What an address is about. */
export interface Signed {
  id: string
  projectId: string
}

export interface Signer {
  /** The path of an asset or a rendition, good for `lifeMs` and up to 5 minutes more. Throws BAD_USER_INPUT as `assetPath` does. */
  sign(asset: Signed & { mimeType: string }, spec: RenditionSpec, lifeMs?: number): string
  /** Until when the query of an address lets this be fetched; undefined when it does not. */
  goodUntil(query: URLSearchParams, asset: Signed, spec: RenditionSpec): number | undefined
}

/** How long an address that was asked for is good, at least. */
const LIFE_MS = 900_000

/** Ends fall on whole steps, so that whoever asks again soon is given the same address, which caches know. */
const STEP_MS = 300_000

/** `secret` must be the same in every process. */
export function createSigner(secret: string, clock: Clock): Signer {
  // Each line ends: no two questions are written alike. The project is none of the address's business, and part of it.
  const signatureOf = (
    { id, projectId }: Signed,
    { width, height, format }: RenditionSpec,
    expires: string,
  ) =>
    createHmac('sha256', secret)
      .update([projectId, id, width ?? '', height ?? '', format ?? '', expires].join('\n'))
      .digest()

  return {
    sign(asset, spec, lifeMs = LIFE_MS) {
      const path = assetPath(asset.id, asset.mimeType, spec)
      const expires = String((Math.ceil((clock.now() + lifeMs) / STEP_MS) * STEP_MS) / 1000)
      const signature = signatureOf(asset, spec, expires).toString('base64url')
      return `${path}${path.includes('?') ? '&' : '?'}expires=${expires}&signature=${signature}`
    },

    goodUntil(query, asset, spec) {
      const expires = query.get('expires') ?? ''
      const given = Buffer.from(query.get('signature') ?? '', 'base64url')
      const right = signatureOf(asset, spec, expires)
      if (given.length !== right.length || !timingSafeEqual(given, right)) return undefined
      const expiresAt = Number(expires) * 1000
      return expiresAt > clock.now() ? expiresAt : undefined
    },
  }
}
