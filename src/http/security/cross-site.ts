// What a web page of somebody else may make a visitor's browser do here: nothing that changes or tells anything.
import { isIP } from 'node:net'
import { requestError } from '../refusal.ts'

/** What a page may send to any server without being asked first (fetch.spec.whatwg.org/#cors-safelisted-request-header). */
const FORM_TYPES = /^\s*(?:application\/x-www-form-urlencoded|multipart\/form-data|text\/plain)\b/i

/** Each of them can only be sent by a page that this server has allowed to, or by a program. */
const PROOFS = ['x-darkroom-csrf', 'graphql-require-preflight', 'apollo-require-preflight']

/** Refuses, with CSRF_REQUIRED, a POST that the form on any page could have sent. */
export function checkCrossSite({ method, headers }: Request): void {
  if (method !== 'POST') return
  const type = headers.get('content-type')
  if ((type !== null && !FORM_TYPES.test(type)) || PROOFS.some((name) => headers.has(name))) return
  throw requestError(
    'CSRF_REQUIRED',
    `A POST ${type === null ? 'without a content type' : `of "${type.slice(0, 60)}"`} could come from any web page. Send the ` +
      `header "${PROOFS[1]}: 1" with it, or application/json.`,
  )
}

/**
 * Why this server does not answer under the name in `origin`; undefined when it does. A page whose name its owner lets
 * point at 127.0.0.1 is at home here as far as a browser knows ("DNS rebinding"), so only names that nobody can own are
 * answered to, and the one in PUBLIC_URL.
 */
export function hostProblem(origin: string, publicUrl: string | null): string | undefined {
  const { hostname, host } = new URL(origin)
  const isNobodys =
    !hostname.includes('.') || hostname.endsWith('.localhost') || isIP(hostname.replace(/^\[|\]$/g, '')) !== 0
  if (isNobodys || (publicUrl !== null && new URL(publicUrl).host === host)) return undefined
  return `This server does not answer as "${host.slice(0, 100)}". If it is reached by that name, set PUBLIC_URL to it.`
}
