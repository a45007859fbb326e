const EXPOSED = [
  'x-request-id',
  'retry-after',
  'x-should-retry',
  'openai-processing-ms',
  'location',
  'darkroom-task-id',
  'darkroom-charged',
  'darkroom-cost-micros',
  'darkroom-replayed',
  'darkroom-warnings',
].join(', ')

/** For configured origins only; SDKs send headers that differ by version. */
export function corsHeaders({ headers }: Request, origins: readonly string[]): Record<string, string> {
  const origin = headers.get('origin')
  if (origins.length === 0) return {}
  if (origin === null || !origins.includes(origin)) return { vary: 'origin' }
  return {
    'access-control-allow-origin': origin,
    'access-control-expose-headers': EXPOSED,
    vary: 'origin',
  }
}

/** Undefined for other requests. */
export function preflightResponse(request: Request, origins: readonly string[]): Response | undefined {
  const { method, headers } = request
  if (method !== 'OPTIONS' || !headers.has('access-control-request-method')) return undefined
  const allowed = corsHeaders(request, origins)
  const requested = headers.get('access-control-request-headers')
  if (!('access-control-allow-origin' in allowed))
    return new Response(null, { status: 204, headers: allowed })
  return new Response(null, {
    status: 204,
    headers: {
      ...allowed,
      'access-control-allow-methods': 'GET, POST',
      'access-control-max-age': '86400',
      ...(requested !== null && { 'access-control-allow-headers': requested }),
    },
  })
}
