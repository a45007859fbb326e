import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Clock } from '../clock.ts'
import { assetPath, type RenditionSpec } from './address.ts'

export interface SignedAsset {
  id: string
  projectId: string
}

export interface Signer {
  /** Valid `lifeMs` (default 15 minutes) plus up to 5 minutes. Throws like `assetPath`. */
  sign(asset: SignedAsset & { mimeType: string }, spec: RenditionSpec, lifeMs?: number): string
  /** Undefined if wrong or expired. */
  findExpiry(query: URLSearchParams, asset: SignedAsset, spec: RenditionSpec): number | undefined
}

const DEFAULT_LIFE_MS = 900_000

/** Rounded up: repeated requests get the same, cacheable URL. */
const STEP_MS = 300_000

export function createSigner(secret: string, clock: Clock): Signer {
  function signatureOf({ id, projectId }: SignedAsset, spec: RenditionSpec, expires: string): Buffer {
    const { width = '', height = '', format = '', animated } = spec
    const frames = animated ? ['animated'] : []
    const signed = [projectId, id, width, height, format, expires, ...frames].join('\n')
    return createHmac('sha256', secret).update(signed).digest()
  }

  return {
    sign(asset, spec, lifeMs = DEFAULT_LIFE_MS) {
      const path = assetPath(asset.id, asset.mimeType, spec)
      const expires = String((Math.ceil((clock.now() + lifeMs) / STEP_MS) * STEP_MS) / 1000)
      const signature = signatureOf(asset, spec, expires).toString('base64url')
      return `${path}${path.includes('?') ? '&' : '?'}expires=${expires}&signature=${signature}`
    },

    findExpiry(query, asset, spec) {
      const expires = query.get('expires') ?? ''
      const given = Buffer.from(query.get('signature') ?? '', 'base64url')
      const expected = signatureOf(asset, spec, expires)
      if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined
      const expiresAt = Number(expires) * 1000
      return expiresAt > clock.now() ? expiresAt : undefined
    },
  }
}
