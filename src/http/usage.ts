import type { Clock } from '../clock.ts'
import { BYTE_ORDER_MARK, csvLine } from '../csv.ts'
import type { Queries } from '../db/connection/database.ts'
import type { Access } from '../engine/access/access.ts'
import type { Keyring } from '../engine/access/keyring.ts'
import { reportUsage, type UsageReport } from '../engine/usage/report.ts'
import { findZone, periodOf } from '../engine/usage/time-zone.ts'
import { badInput, GatewayError, gatewayErrorOf } from '../errors.ts'
import { scopeProblem } from '../schema/scopes.ts'
import { isStorable, toStorable } from '../text.ts'
import type { HttpRoute } from './app.ts'
import { gatewayErrorRefusal, refusal } from './refusal.ts'
import { credentialOf } from './security/auth.ts'
import { hostProblem } from './security/cross-site.ts'
import { tableOf } from './usage/columns.ts'
import { readUsageQuery } from './usage/query-text.ts'

interface UsageRouteOptions {
  q: Queries
  clock: Clock
  keyring: Pick<Keyring, 'authenticate'>
  publicUrl: string | null
}

const PATH = '/usage.csv'

/**
 * Serves `GET /usage.csv`, with parameters such as `from=2026-11-01`, `groupBy=day,model`, `timeZone=Europe/Berlin`
 * and `provider=jimmy`. Totals without `groupBy`.
 */
export function createUsageRoute(options: UsageRouteOptions): HttpRoute {
  return async (request, client) => {
    const url = new URL(request.url)
    if (url.pathname !== PATH) return undefined
    const problem = hostProblem(client().origin, options.publicUrl)
    if (problem !== undefined) return refusal('HOST_NOT_ALLOWED', problem)
    if (request.method !== 'GET') return refusal('METHOD_NOT_ALLOWED', 'Use GET.', { allow: 'GET' })
    try {
      return await respond(request, url.searchParams, options)
    } catch (error) {
      const known = gatewayErrorOf(error)
      if (known) return gatewayErrorRefusal(known)
      throw error
    }
  }
}

async function respond(
  request: Request,
  parameters: URLSearchParams,
  { q, clock, keyring }: UsageRouteOptions,
): Promise<Response> {
  const caller = await keyring.authenticate(credentialOf(request.headers))
  if (!caller.scopes.has('REPORT'))
    throw new GatewayError('FORBIDDEN', scopeProblem(PATH, 'REPORT', caller.scopes))
  const now = clock.now()
  const query = {
    ...readUsageQuery(readParameters(parameters), now),
    projectId: readProject(parameters, caller),
  }
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

/** All others are filters. */
const PARAMETERS = new Set(['from', 'to', 'groupBy', 'timeZone', 'allProjects'])

function readParameters(parameters: URLSearchParams) {
  for (const [name, value] of parameters)
    if (!isStorable(name + value))
      throw badInput(
        toStorable(name),
        `The parameter ${JSON.stringify(name)} is not valid text: it contains NUL.`,
      )
  const { from, to, groupBy, timeZone }: Record<string, string> = Object.fromEntries(parameters)
  return { from, to, groupBy, timeZone, filter: [...parameters].filter(([name]) => !PARAMETERS.has(name)) }
}

function readProject(parameters: URLSearchParams, { operator, projectId }: Access): string | null {
  const all = parameters.get('allProjects') ?? 'false'
  if (all !== 'true' && all !== 'false')
    throw badInput('allProjects', `allProjects is ${JSON.stringify(all.slice(0, 60))}; use true or false.`)
  if (all === 'false') return projectId
  if (operator) return null
  throw new GatewayError('FORBIDDEN', 'allProjects needs the key of the operator.', { field: 'allProjects' })
}

/** In chunks of at least 16 KB, produced when they are read. */
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
