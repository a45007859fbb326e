import { randomUUID } from 'node:crypto'
import { runForClient } from '../db/connection/priority.ts'
import { gatewayErrorOf } from '../errors.ts'
import type { Logger } from '../log.ts'
import { basePathOf } from './base-path.ts'
import { gatewayErrorRefusal, graphqlRefusal, refusal, SAFE_HEADERS } from './refusal.ts'
import { isRestPath } from './rest/paths.ts'
import { restRefusal } from './rest/problem.ts'
import { apiKeyInUrlProblem } from './security/auth.ts'
import { encodingProblem } from './security/body.ts'
import type { Client, ClientReader } from './security/client.ts'

/** Undefined for a path of another route. */
export type HttpRoute = (request: Request, client: () => Client) => Promise<Response | undefined>

export type App = (request: Request, remoteAddress?: string) => Promise<Response>

export function createApp(
  routes: readonly HttpRoute[],
  options: { readClient: ClientReader; publicUrl: string | null; adminKey: string | null; log: Logger },
): App {
  const { readClient, publicUrl, adminKey, log } = options

  async function respond(request: Request, remoteAddress: string | undefined): Promise<Response> {
    const url = URL.parse(request.url)
    if (url === null) return refusal('BAD_REQUEST', 'The Host header is not a valid host.')
    const refuse = refusalAt(url.pathname)
    const exposedKey = apiKeyInUrlProblem(request.url, adminKey)
    if (exposedKey !== undefined) return refuse('KEY_IN_URL', exposedKey)
    const encoding = encodingProblem(request)
    if (encoding !== undefined) return refuse('UNSUPPORTED_MEDIA_TYPE', encoding)
    const client = () => readClient(request, remoteAddress)
    for (const route of routes) {
      const response = await route(request, client)
      if (response) return response
    }
    if (url.pathname === '/')
      return new Response(null, { status: 302, headers: { location: `${basePathOf(publicUrl)}/graphql` } })
    const path = url.pathname.slice(0, 200)
    return refusal('NOT_FOUND', `There is nothing at ${path}. GraphQL is at /graphql.`)
  }

  return async (request, remoteAddress) => {
    const responding = runForClient(() => respond(request, remoteAddress))
    const response = await responding.catch((error: unknown) => {
      const known = gatewayErrorOf(error)
      const path = URL.parse(request.url)?.pathname ?? ''
      if (known?.code === 'SERVICE_UNAVAILABLE' && !isRestPath(path)) return gatewayErrorRefusal(known)
      const id = randomUUID()
      // No failure of the server if the client has disconnected.
      if (!request.signal.aborted) log.error({ id, err: error }, 'request failed unexpectedly')
      const refuse = isRestPath(path) ? restRefusal : refusal
      return refuse('INTERNAL_SERVER_ERROR', `Unexpected error (id ${id}).`)
    })
    for (const [name, value] of Object.entries(SAFE_HEADERS))
      if (!response.headers.has(name)) response.headers.set(name, value)
    return response
  }
}

/** Each interface has its own form of errors. */
function refusalAt(path: string): typeof refusal {
  if (path === '/graphql') return graphqlRefusal
  return isRestPath(path) ? restRefusal : refusal
}
