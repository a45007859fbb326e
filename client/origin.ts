// Pages of another origin. Browsers hide from a page whether a server is down or refuses its origin.
import { fieldOf, readResult, type Endpoint } from './endpoint.ts'
import { DarkroomError } from './errors.ts'

const PROBE_TIMEOUT_MS = 5_000

/** Undefined on the server's own origin, and outside of browsers. */
function foreignOrigin({ origin }: URL): string | undefined {
  const page = 'location' in globalThis ? globalThis.location.origin : origin
  return page === origin ? undefined : page
}

/**
 * The server's error for this page, or undefined. A GET without parameters has no preflight, and its refusal
 * is readable for every origin. Error pages of a proxy are not, so a server that restarts is not mistaken.
 */
export async function findOriginRefusal(
  endpoint: Endpoint,
  signal: AbortSignal,
): Promise<DarkroomError | undefined> {
  if (foreignOrigin(endpoint.url) === undefined) return undefined
  try {
    const response = await endpoint.fetch(endpoint.url, {
      headers: { accept: 'application/json' },
      cache: 'no-store',
      signal: AbortSignal.any([signal, AbortSignal.timeout(PROBE_TIMEOUT_MS)]),
    })
    fieldOf(await readResult(response))
  } catch (error) {
    if (error instanceof DarkroomError && error.code === 'ORIGIN_NOT_ALLOWED') return error
  }
  return undefined
}

export function originHint(url: URL): string {
  const page = foreignOrigin(url)
  return page === undefined ? '' : ` If the server is running, add ${page} to its CORS_ORIGINS.`
}
