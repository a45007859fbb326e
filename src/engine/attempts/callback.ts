import { createHash, randomBytes } from 'node:crypto'
import type { Provider } from '../../providers/provider.ts'
import type { Deps } from '../deps.ts'

/** An address of one attempt's own, for its provider to call back. */
export interface CallbackAddress {
  url: string
  /** What is stored of its secret: whoever reads the database cannot call back. */
  sha256: string
}

/** A new address that nobody can guess; undefined for a provider that never calls back, or cannot reach us. */
export function openCallback(deps: Deps, provider: Provider): CallbackAddress | undefined {
  const base = provider.receive && deps.callbackBase(provider)
  if (!base) return undefined
  const secret = randomBytes(32).toString('base64url')
  return { url: `${base}/callbacks/${secret}`, sha256: sha256(secret) }
}

/** In lower-case hex. */
export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
