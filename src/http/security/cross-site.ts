import { isIP } from 'node:net'
import type { Logger } from '../../log.ts'
import { graphqlRefusal, requestError } from '../refusal.ts'

/** Sent without a preflight: fetch.spec.whatwg.org/#cors-safelisted-request-header. */
const FORM_TYPES = /^\s*(?:application\/x-www-form-urlencoded|multipart\/form-data|text\/plain)\b/i

const PREFLIGHT_HEADERS = ['x-darkroom-csrf', 'graphql-require-preflight', 'apollo-require-preflight']

export function checkCrossSite({ method, headers }: Request): void {
  if (method !== 'POST') return
  const type = headers.get('content-type')
  if (type !== null && !FORM_TYPES.test(type)) return
  if (PREFLIGHT_HEADERS.some((name) => headers.has(name))) return
  const found = type === null ? 'without a content type' : `of "${type.slice(0, 60)}"`
  throw requestError(
    'CSRF_REQUIRED',
    `Any web page could send a POST ${found}. Add the header "${PREFLIGHT_HEADERS[1]}: 1", or send application/json.`,
  )
}

/** Each is logged once. */
const MAX_LOGGED_ORIGINS = 100

/**
 * Refuses preflights from an origin that is not allowed. Browsers show no body in the console: the log has
 * the remedy, too. A page reads it with a GET without parameters, which has no preflight and executes nothing.
 */
export function createOriginCheck(
  corsOrigins: readonly string[],
  log: Pick<Logger, 'warn'>,
): (request: Request) => Response | undefined {
  const logged = new Set<string>()
  return ({ method, headers, url }) => {
    const origin = headers.get('origin')?.slice(0, 200)
    if (origin === undefined || corsOrigins.includes(origin)) return undefined
    const isPreflight = method === 'OPTIONS' && headers.has('access-control-request-method')
    const isProbe = method === 'GET' && !url.includes('?')
    if (!isPreflight && !isProbe) return undefined
    const problem = `Pages of ${origin} may not call this server. Add the origin to CORS_ORIGINS or corsOrigins, and restart.`
    if (isProbe)
      return graphqlRefusal('ORIGIN_NOT_ALLOWED', problem, {
        'access-control-allow-origin': '*',
        vary: 'origin',
      })
    if (!logged.has(origin) && logged.size < MAX_LOGGED_ORIGINS) {
      logged.add(origin)
      log.warn({ origin }, 'preflight refused: add the origin to CORS_ORIGINS')
    }
    return graphqlRefusal('ORIGIN_NOT_ALLOWED', problem, { vary: 'origin' })
  }
}

/** Against DNS rebinding: only local names and the host of PUBLIC_URL. */
export function hostProblem(origin: string, publicUrl: string | null): string | undefined {
  const { hostname, host } = new URL(origin)
  const isLocalName = !hostname.includes('.') || hostname.endsWith('.localhost')
  if (isLocalName || isIP(hostname.replace(/^\[|\]$/g, '')) !== 0) return undefined
  if (publicUrl !== null && new URL(publicUrl).host === host) return undefined
  return `This server does not serve the host "${host.slice(0, 100)}". If the host is correct, set PUBLIC_URL to it.`
}

/** Whether a page of this origin may call. Null: not a browser, which would send the header. */
export function isAllowedOrigin(
  origin: string | null,
  own: string,
  { corsOrigins, publicUrl }: { corsOrigins: readonly string[]; publicUrl: string | null },
): boolean {
  if (origin === null || corsOrigins.includes(origin)) return true
  return [own, ...(publicUrl === null ? [] : [publicUrl])].some(
    (url) => new URL(url).host === URL.parse(origin)?.host,
  )
}
