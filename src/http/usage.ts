// Usage as a table for spreadsheets and for programs that know no GraphQL.
import type { Clock } from '../clock.ts'
import { BYTE_ORDER_MARK, csvLine } from '../csv.ts'
import type { Queries } from '../db/connection/database.ts'
import type { Access } from '../engine/access/access.ts'
import type { Keyring } from '../engine/access/keyring.ts'
import { tableOf } from './usage/columns.ts'
import { reportUsage, type UsageReport } from '../engine/usage/report.ts'
import { readUsageQuery } from './usage/query-text.ts'
import { findZone, periodOf } from '../engine/usage/time-zone.ts'
import { badInput, GatewayError } from '../errors.ts'
import { credentialOf } from './security/auth.ts'
import { refusal, REQUEST_ERRORS } from './refusal.ts'

interface UsageRouteOptions {
  /** Whose rows. */
  q: Queries
  clock: Clock
  admit: Keyring['admit']
}

const PATH = '/usage.csv'

/**
 * `GET /usage.csv?from=2026-11-01&to=2026-12-01&groupBy=day,model&timeZone=Europe/Berlin&provider=jimmy`: the rows of a
 * report, or one line of totals without `groupBy`. Undefined for every other path.
 */
export function createUsageRoute(
  options: UsageRouteOptions,
): (request: Request) => Promise<Response | undefined> {
  return async (request) => {
    const url = new URL(request.url)
    if (url.pathname !== PATH) return undefined
    if (request.method !== 'GET') return refusal('METHOD_NOT_ALLOWED', 'Use GET.', { allow: 'GET' })
    try {
      return await answer(request, url.searchParams, options)
    } catch (error) {
      if (error instanceof GatewayError) return refused(error)
      throw error
    }
  }
}

async function answer(
  request: Request,
  parameters: URLSearchParams,
  { q, clock, admit }: UsageRouteOptions,
): Promise<Response> {
  const caller = await admit(credentialOf((name) => request.headers.get(name)))
  if (!caller.scopes.has('REPORT'))
    throw new GatewayError(
      'FORBIDDEN',
      `${PATH} needs the scope REPORT; this API key has ${[...caller.scopes].join(', ')}.`,
    )
  const now = clock.now()
  const query = { ...readUsageQuery(readParameters(parameters), now), projectId: whose(parameters, caller) }
  const report = await reportUsage(q, query, now)
  const lines = tableOf(query, report).map(csvLine)
  return new Response(toStream(BYTE_ORDER_MARK, lines), {
    headers: {
      'content-type': 'text/csv; charset=utf-8; header=present',
      'content-disposition': `attachment; filename="usage-${dayOf(report, report.from)}-${dayOf(report, report.to)}.csv"`,
      'cache-control': 'no-store',
    },
  })
}

const WORDS = new Set(['from', 'to', 'groupBy', 'timeZone', 'allProjects'])

function readParameters(parameters: URLSearchParams) {
  const words = Object.fromEntries([...parameters].filter(([name]) => WORDS.has(name)))
  const { from, to, groupBy, timeZone } = words
  return { from, to, groupBy, timeZone, filter: [...parameters].filter(([name]) => !WORDS.has(name)) }
}

function whose(parameters: URLSearchParams, { operator, projectId }: Access): string | null {
  const all = parameters.get('allProjects') ?? 'false'
  if (all !== 'true' && all !== 'false') throw badInput('allProjects', 'allProjects is true or false.')
  if (all === 'false') return projectId
  if (operator) return null
  throw new GatewayError('FORBIDDEN', 'Only operators see the usage of all projects.', {
    field: 'allProjects',
  })
}

/** Line by line, as fast as they are taken. */
function toStream(start: string, lines: Iterator<string>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder()
  let text = start
  return new ReadableStream({
    pull(controller) {
      while (text.length < 16_384) {
        const { done, value } = lines.next()
        if (done) break
        text += value
      }
      if (text === '') controller.close()
      else controller.enqueue(encoder.encode(text))
      text = ''
    },
  })
}

function dayOf({ timeZone }: UsageReport, at: number): string {
  const zone = findZone(timeZone)
  return zone ? periodOf(zone, 'DAY', at).label : timeZone
}

const STATUSES: Partial<Record<GatewayError['code'], number>> = REQUEST_ERRORS

function refused({ code, message }: GatewayError): Response {
  const headers: Record<string, string> =
    code === 'UNAUTHENTICATED' ? { 'www-authenticate': 'Bearer realm="darkroom"' } : {}
  return Response.json({ error: { code, message } }, { status: STATUSES[code] ?? 400, headers })
}
