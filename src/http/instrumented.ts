import { randomUUID } from 'node:crypto'
import type { Clock } from '../clock.ts'
import type { Logger } from '../log.ts'
import type { Metrics } from '../metrics.ts'
import type { App } from './app.ts'
import { withRequestNotes, type RequestNotes } from './graphql/instrumented.ts'

/** By the first path segment; else `other`. */
const ROUTES: Readonly<Record<string, string>> = {
  '': 'home',
  graphql: 'graphql',
  mcp: 'mcp',
  assets: 'assets',
  callbacks: 'callbacks',
  v1: 'rest',
  openai: 'rest',
  images: 'rest',
  models: 'rest',
  'usage.csv': 'usage',
  livez: 'health',
  readyz: 'health',
  metrics: 'metrics',
}

const BUSY_ROUTES = new Set(['assets', 'health', 'metrics', 'home'])

/** Others could break a log line. */
const REQUEST_ID = /^[\w.:+/=-]{1,128}$/

/** Logs neither path nor query: both may hold secrets. Sets `x-request-id`. */
export function instrumented(app: App, tools: { metrics: Metrics; clock: Clock; log: Logger }): App {
  const { metrics, clock, log } = tools
  return async (request, remoteAddress) => {
    const givenId = request.headers.get('x-request-id')
    const requestId = givenId !== null && REQUEST_ID.test(givenId) ? givenId : randomUUID()
    const route = routeOf(request.url)
    const startedAt = clock.monotonic()
    const end = metrics.requestSeconds.startTimer({ route })
    const notes: RequestNotes = {}
    const response = await withRequestNotes(notes, () => app(request, remoteAddress))
    end()
    const { status } = response
    metrics.requests.inc({ route, status })
    response.headers.set('x-request-id', requestId)
    const line = {
      requestId,
      method: request.method,
      route,
      status,
      ms: Math.round(clock.monotonic() - startedAt),
      ...notes,
    }
    log[BUSY_ROUTES.has(route) && status < 500 ? 'debug' : 'info'](line, 'request handled')
    return response
  }
}

function routeOf(url: string): string {
  const segment = URL.parse(url)?.pathname.split('/', 2)[1] ?? '?'
  return Object.hasOwn(ROUTES, segment) ? ROUTES[segment]! : 'other'
}
