import { randomUUID } from 'node:crypto'
import type { Clock } from '../clock.ts'
import type { Logger } from '../log.ts'
import type { Metrics } from '../metrics.ts'
import type { App } from './app.ts'
import { withNotes, type RequestNotes } from './graphql/request-notes.ts'

/** The routes by the first part of their path. What is not here is `other`: paths are written by anybody. */
const ROUTES: Readonly<Record<string, string>> = {
  '': 'home',
  graphql: 'graphql',
  assets: 'assets',
  callbacks: 'callbacks',
  'usage.csv': 'usage',
  livez: 'health',
  readyz: 'health',
  metrics: 'metrics',
}

/** Asked for so often that a line for each would hide the others: only told at `debug`. */
const BUSY = new Set(['assets', 'health', 'metrics', 'home'])

/** An id of the client's own is kept when it is one: short, and without anything that breaks a line. */
const REQUEST_ID = /^[\w.:+/=-]{1,128}$/

/**
 * The same app; every request is numbered, timed, counted, and told in one line of the log. The answer carries the number
 * as `x-request-id`. Neither paths nor queries are told: they may hold what nobody else is to know.
 */
export function observed(app: App, tools: { metrics: Metrics; clock: Clock; log: Logger }): App {
  const { metrics, clock, log } = tools
  return async (request, remoteAddress) => {
    const given = request.headers.get('x-request-id')
    const requestId = given !== null && REQUEST_ID.test(given) ? given : randomUUID()
    const route = routeOf(request.url)
    const begunAt = clock.now()
    const end = metrics.done.requestSeconds.startTimer({ route })
    const notes: RequestNotes = {}
    const response = await withNotes(notes, () => app(request, remoteAddress))
    end()
    const { status } = response
    metrics.done.requests.inc({ route, status })
    response.headers.set('x-request-id', requestId)
    const line = { requestId, method: request.method, route, status, ms: clock.now() - begunAt, ...notes }
    log[BUSY.has(route) && status < 500 ? 'debug' : 'info'](line, 'request')
    return response
  }
}

function routeOf(url: string): string {
  const first = URL.parse(url)?.pathname.split('/', 2)[1] ?? '?'
  return Object.hasOwn(ROUTES, first) ? ROUTES[first]! : 'other'
}
