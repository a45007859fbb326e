import { createHash, timingSafeEqual } from 'node:crypto'
import type { Scope } from '../../domain.ts'
import type { Access } from '../../engine/access/access.ts'
import type { Keyring } from '../../engine/access/keyring.ts'
import { GatewayError } from '../../errors.ts'
import { scopeProblem } from '../../schema/scopes.ts'
import { credentialOf } from '../security/auth.ts'

/**
 * `Authorization`, or Azure's `api-key`. Without keys any is admitted, but required: a page of another site cannot
 * send it without a preflight. Throws UNAUTHENTICATED.
 */
export async function authenticate(
  headers: Headers,
  keyring: Pick<Keyring, 'authenticate'>,
): Promise<Access> {
  const credential = credentialOf(headers)
  const azure = headers.get('api-key')?.trim()
  if (azure !== undefined && credential.key !== null && !isSame(azure, credential.key))
    throw unauthenticated('The headers Authorization and api-key have different keys; send one of them.')
  const key = credential.key ?? azure ?? null
  if (key === null)
    throw unauthenticated('An API key is needed, in the header "Authorization: Bearer <key>" or "api-key".')
  return keyring.authenticate({ ...credential, key })
}

/** Throws FORBIDDEN. */
export function checkScope({ scopes }: Access, what: string, ...allowed: [Scope, ...Scope[]]): void {
  if (allowed.some((scope) => scopes.has(scope))) return
  throw new GatewayError('FORBIDDEN', scopeProblem(what, allowed[0], scopes))
}

function isSame(a: string, b: string): boolean {
  const [x, y] = [a, b].map((text) => createHash('sha256').update(text).digest())
  return timingSafeEqual(x!, y!)
}

function unauthenticated(message: string): GatewayError {
  return new GatewayError('UNAUTHENTICATED', message)
}
