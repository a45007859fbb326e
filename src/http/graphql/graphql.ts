import { createYoga, isAsyncIterable, type Plugin, type YogaServerInstance } from 'graphql-yoga'
import type { ExecutionResult, GraphQLError } from 'graphql'
import type { Access } from '../../engine/access/access.ts'
import type { Keyring } from '../../engine/access/keyring.ts'
import type { Logger } from '../../log.ts'
import type { Metrics } from '../../metrics.ts'
import type { Context } from '../../schema/context.ts'
import { schema } from '../../schema/index.ts'
import type { Tracing } from '../../tracing.ts'
import type { HttpRoute } from '../app.ts'
import { graphqlRefusal } from '../refusal.ts'
import type { Bodies } from '../security/bodies.ts'
import { useCaller } from '../security/auth.ts'
import type { Client } from '../security/client.ts'
import { createOriginCheck, hostProblem } from '../security/cross-site.ts'
import { createDocumentCaches, useDocumentLimits } from './document-limits.ts'
import { useExecutionChecks } from './execution-checks.ts'
import { createPage } from './graphiql.ts'
import { useInstrumentation, type SocketContext } from './instrumented.ts'
import { createLiveHub, type LiveHub } from './live/hub.ts'
import { useLiveHub, type LiveContext } from './live/plugin.ts'
import { createMask, toGraphQLError } from './mask.ts'
import type { PersistedQueries } from './persisted-queries.ts'
import { useStrictRequests } from './strict-requests.ts'

interface ServerContext {
  client: Client
  caller?: Access
  socket?: SocketContext & Required<LiveContext>['socket']
}

export type GraphQLServer = YogaServerInstance<ServerContext, Context>

export function createGraphQL(options: {
  context: (request: Request, client: Client, caller: Access) => Context
  keyring: Pick<Keyring, 'authenticate' | 'watch' | 'isOpenCached'>
  corsOrigins: readonly string[]
  introspection: boolean
  operatorIntrospection?: boolean
  persistedQueries: PersistedQueries
  /** By default its own. */
  hub?: LiveHub
  bodies: Bodies
  log: Logger
  metrics: Metrics
  tracing: Tracing
}): GraphQLServer {
  const { log, keyring, corsOrigins, introspection, hub = createLiveHub({ log }) } = options
  const { operatorIntrospection = false } = options
  // While no key is required, everyone is an operator.
  const mayIntrospect = ({ operator }: Access) => introspection || (operator && !keyring.isOpenCached())
  const mask = createMask(log)
  const debug = (...args: unknown[]) => log.debug(args.map(String).join(' '))
  return createYoga<ServerContext, Context>({
    schema,
    context: ({ request, client, caller }) => {
      if (!caller) throw new Error('An operation has no authenticated caller.')
      return options.context(request, client, caller)
    },
    graphqlEndpoint: '/graphql',
    landingPage: false,
    graphiql: false,
    // `useStrictRequests` is stricter, and reads files to disk.
    multipart: false,
    plugins: [
      useCaller(keyring.authenticate),
      useStrictRequests(options.bodies, options.persistedQueries),
      useDocumentLimits({ introspection: introspection || operatorIntrospection }),
      useErrorCodes(),
      useStreamHeaders(),
      useLiveHub(hub),
      useExecutionChecks(keyring.watch, { mask, mayIntrospect }),
      useInstrumentation(options),
    ],
    parserAndValidationCache: createDocumentCaches(),
    maxRequestBodySize: false,
    // Yoga's default allows all origins.
    cors: corsOrigins.length > 0 ? { origin: [...corsOrigins], methods: ['GET', 'POST'] } : false,
    maskedErrors: { maskError: mask, isDev: false },
    // The mask has logged errors already.
    logging: { debug, info: debug, error: debug, warn: (...args) => log.warn(args.map(String).join(' ')) },
  })
}

/** OPTIONS is for CORS. */
const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'OPTIONS'])

export function createGraphQLRoute(
  graphql: GraphQLServer,
  { publicUrl, corsOrigins, log }: { publicUrl: string | null; corsOrigins: readonly string[]; log: Logger },
): HttpRoute {
  const page = createPage()
  const refuseOrigin = createOriginCheck(corsOrigins, log)
  return async (request, getClient) => {
    if (new URL(request.url).pathname !== '/graphql') return undefined
    const client = getClient()
    const problem = hostProblem(client.origin, publicUrl)
    if (problem !== undefined) return graphqlRefusal('HOST_NOT_ALLOWED', problem)
    const html = await page(request, client)
    if (html) return html
    const refused = refuseOrigin(request)
    if (refused) return refused
    if (!METHODS.has(request.method))
      return graphqlRefusal(
        'METHOD_NOT_ALLOWED',
        'The methods are GET and POST. The single connection mode of Server-Sent Events, which begins with PUT, is not ' +
          'supported: use a request per subscription (distinct connections mode), or a WebSocket for many.',
        { allow: 'GET, POST' },
      )
    const response = await graphql.fetch(request, { client })
    if (response.status === 406 && !response.body)
      return graphqlRefusal(
        'NOT_ACCEPTABLE',
        'The Accept header must allow application/graphql-response+json, application/json or text/event-stream. Results in ' +
          'parts (multipart/mixed) are not supported: subscribe over text/event-stream or a WebSocket.',
      )
    return response
  }
}

function useErrorCodes(): Plugin {
  return {
    onResultProcess(hook) {
      const { result } = hook
      if (isAsyncIterable(result) || Array.isArray(result)) return
      const { errors, data }: ExecutionResult = result
      if (errors && hasValue(data)) return hook.setResult({ ...result, errors: errors.map(withoutStatus) })
      if (data !== undefined || !errors?.some((error) => error.extensions?.['code'] === undefined)) return
      hook.setResult({ ...result, errors: errors.map(withRequestErrorCode) })
    },
  }
}

/** Proxies such as nginx buffer a stream, and some compress it. */
function useStreamHeaders(): Plugin {
  return {
    onResponse({ response }) {
      if (!response.headers.get('content-type')?.startsWith('text/event-stream')) return
      // Else both spellings of Yoga's header are sent.
      response.headers.delete('cache-control')
      response.headers.set('cache-control', 'no-cache, no-transform')
      response.headers.set('x-accel-buffering', 'no')
    },
  }
}

function hasValue(data: ExecutionResult['data']): boolean {
  return data !== undefined && data !== null && Object.values(data).some((value) => value !== null)
}

/** A response with values was not refused, even if some fields were. */
function withoutStatus(error: GraphQLError): GraphQLError {
  const { http: _, ...visible } = error.extensions
  return visible['code'] === 'SERVICE_UNAVAILABLE' ? toGraphQLError(error.message, visible, error) : error
}

export function withRequestErrorCode(error: GraphQLError): GraphQLError {
  if (error.extensions['code'] !== undefined) return error
  return toGraphQLError(error.message, { ...error.extensions, code: 'GRAPHQL_VALIDATION_FAILED' }, error)
}
