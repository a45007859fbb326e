// The route table: a Request in, a Response out, without a port.
import { randomUUID } from 'node:crypto'
import type { Logger } from '../log.ts'
import { basePathOf } from './base-path.ts'
import { keyInUrl } from './security/auth.ts'
import { encodingProblem } from './security/body.ts'
import type { Client, createClientReader } from './security/client.ts'
import { hostProblem } from './security/cross-site.ts'
import type { Page } from './graphql/graphiql.ts'
import type { GraphQLServer } from './graphql/graphql.ts'
import { answerHealth, type Health } from './health.ts'
import type { MetricsRoute } from './metrics.ts'
import { refusal } from './refusal.ts'
import { makeSafe } from './security/safe-headers.ts'

/** Answers the paths that are its own, and nothing else. */
type Route = (request: Request) => Promise<Response | undefined>

/** The same; who asks is told when it matters. */
type CallbackRoute = (request: Request, client: () => Client) => Promise<Response | undefined>

/** `remoteAddress` is that of the connection; left out when there is none. */
export type App = (request: Request, remoteAddress?: string) => Promise<Response>

export function createApp(parts: {
  graphql: GraphQLServer
  page: Page
  assets: Route
  callbacks: CallbackRoute
  usage: Route
  health: Health
  /** Undefined where metrics are not served. */
  metrics: MetricsRoute | undefined
  readClient: ReturnType<typeof createClientReader>
  /** Where clients reach the server; null when nobody said. */
  publicUrl: string | null
  /** The operator's; null when there is none. */
  adminKey: string | null
  log: Logger
}): App {
  const { graphql, page, assets, callbacks, health, log } = parts

  function clientOf(request: Request, remoteAddress: string | undefined, origin: string): Client {
    const header = (name: string) => request.headers.get(name)
    return parts.readClient({ remoteAddress, header, origin })
  }

  async function route(request: Request, remoteAddress: string | undefined): Promise<Response> {
    const url = URL.parse(request.url)
    // The address begins with the Host header, in which a client may write anything.
    if (url === null) return refusal('BAD_REQUEST', 'The Host header is not the name of a host.')
    const exposed = keyInUrl(request.url, parts.adminKey)
    if (exposed !== undefined) return refusal('KEY_IN_URL', exposed)
    const encoded = encodingProblem(request)
    if (encoded !== undefined) return refusal('UNSUPPORTED_MEDIA_TYPE', encoded)
    const { pathname, origin } = url
    const client = () => clientOf(request, remoteAddress, origin)
    if (pathname === '/graphql') return answerGraphQL(request, client())
    if (pathname === '/metrics' && parts.metrics) return parts.metrics(request, client())
    if (pathname === '/usage.csv') {
      const problem = hostProblem(client().origin, parts.publicUrl)
      if (problem !== undefined) return refusal('HOST_NOT_ALLOWED', problem)
      return (await parts.usage(request)) ?? notFound(pathname)
    }
    if (pathname === '/') return redirect(`${basePathOf(parts.publicUrl)}/graphql`)
    return (
      (await assets(request)) ??
      (await callbacks(request, client)) ??
      (await answerHealth(request, health)) ??
      notFound(pathname)
    )
  }

  async function answerGraphQL(request: Request, client: Client): Promise<Response> {
    const problem = hostProblem(client.origin, parts.publicUrl)
    if (problem !== undefined) return refusal('HOST_NOT_ALLOWED', problem)
    const shown = page(request, client)
    if (shown) return shown
    const response = await graphql.fetch(request, { client })
    if (response.status !== 406 || response.body) return response
    return refusal(
      'NOT_ACCEPTABLE',
      'GraphQL is answered as application/graphql-response+json, application/json or text/event-stream.',
    )
  }

  return async (request, remoteAddress) => {
    try {
      return makeSafe(await route(request, remoteAddress))
    } catch (error) {
      const id = randomUUID()
      // A client that left in the middle of its request is no error of ours, and nobody is there to be answered.
      if (!request.signal.aborted) log.error({ id, err: error }, 'a request met an unexpected error')
      return makeSafe(refusal('INTERNAL_SERVER_ERROR', `Unexpected error (id ${id}).`))
    }
  }
}

function redirect(location: string): Response {
  return new Response(null, { status: 302, headers: { location } })
}

function notFound(pathname: string): Response {
  return refusal('NOT_FOUND', `There is nothing at ${pathname.slice(0, 200)}. GraphQL is at /graphql.`)
}
