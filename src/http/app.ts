// The route table: a Request in, a Response out, without a port.
import { randomUUID } from 'node:crypto'
import type { Logger } from '../log.ts'
import type { GraphQLServer } from './graphql.ts'
import { answerHealth, type Health } from './health.ts'

/** Answers the paths that are its own, and nothing else. */
type Route = (request: Request) => Promise<Response | undefined>

export type App = (request: Request) => Promise<Response>

export function createApp(parts: {
  graphql: GraphQLServer
  assets: Route
  callbacks: Route
  health: Health
  log: Logger
}): App {
  const { graphql, assets, callbacks, health, log } = parts

  async function route(request: Request): Promise<Response> {
    const pathname = URL.parse(request.url)?.pathname
    // The address begins with the Host header, in which a client may write anything.
    if (pathname === undefined)
      return failure(400, 'BAD_REQUEST', 'The Host header is not the name of a host.')
    if (pathname === '/graphql') return graphql.fetch(request)
    if (pathname === '/') return redirect('/graphql')
    return (
      (await assets(request)) ??
      (await callbacks(request)) ??
      (await answerHealth(request, health)) ??
      notFound(pathname)
    )
  }

  return async (request) => {
    try {
      return await route(request)
    } catch (error) {
      const id = randomUUID()
      log.error({ id, err: error }, 'a request met an unexpected error')
      return failure(500, 'INTERNAL_SERVER_ERROR', `Unexpected error (id ${id}).`)
    }
  }
}

function redirect(location: string): Response {
  return new Response(null, { status: 302, headers: { location } })
}

function notFound(pathname: string): Response {
  return failure(404, 'NOT_FOUND', `There is nothing at ${pathname.slice(0, 200)}. GraphQL is at /graphql.`)
}

function failure(status: number, code: string, message: string): Response {
  return Response.json({ error: { code, message } }, { status })
}
