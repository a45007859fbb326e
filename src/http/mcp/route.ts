import { GraphQLError } from 'graphql'
import type { Clock } from '../../clock.ts'
import type { Access } from '../../engine/access/access.ts'
import type { Keyring } from '../../engine/access/keyring.ts'
import { gatewayErrorOf } from '../../errors.ts'
import type { Context } from '../../schema/context.ts'
import type { HttpRoute } from '../app.ts'
import { REQUEST_ERRORS, retryHeaders, statusOf, type RequestErrorCode } from '../refusal.ts'
import { credentialOf } from '../security/auth.ts'
import type { BodyBudget } from '../security/body-budget.ts'
import { MAX_JSON_BYTES, readBody } from '../security/body.ts'
import type { Client } from '../security/client.ts'
import { hostProblem, isAllowedOrigin } from '../security/cross-site.ts'
import type { McpContext } from './tool.ts'

interface McpRouteOptions extends Pick<McpContext, 'renditions' | 'log'> {
  context: (request: Request, client: Client, caller: Access) => Context
  keyring: Pick<Keyring, 'authenticate' | 'watch'>
  corsOrigins: readonly string[]
  publicUrl: string | null
  memory: BodyBudget
  clock: Clock
}

/** Streamable HTTP without sessions. Loads its SDK at the first request. */
export function createMcpRoute(options: McpRouteOptions): HttpRoute {
  const { keyring, renditions, log, publicUrl } = options
  return async (request, getClient) => {
    if (new URL(request.url).pathname !== '/mcp') return undefined
    const client = getClient()
    const problem = hostProblem(client.origin, publicUrl)
    if (problem !== undefined) return refusal('HOST_NOT_ALLOWED', problem)
    const origin = request.headers.get('origin')
    if (!isAllowedOrigin(origin, client.origin, options))
      return refusal('FORBIDDEN', 'Pages of this origin may not call this server. corsOrigins allows them.')
    const response = await respond(client, request).catch(toRefusal)
    return withCors(response, origin, options.corsOrigins)
  }

  async function respond(client: Client, request: Request): Promise<Response> {
    const { method, headers } = request
    if (method === 'OPTIONS') return new Response(null, { status: 204, headers: PREFLIGHT })
    const lastEventId = method === 'GET' ? headers.get('last-event-id') : null
    if (method !== 'POST' && lastEventId === null)
      return refusal(
        'METHOD_NOT_ALLOWED',
        'Send each message with POST. This server sends none of its own.',
        {
          allow: 'POST',
        },
      )
    const caller = await keyring.authenticate(credentialOf(headers))
    const context = { ...options.context(request, client, caller), renditions, keyring, log }
    if (lastEventId !== null) return resume(request, lastEventId, context)
    return receive(request, context)
  }

  async function receive(request: Request, context: McpContext): Promise<Response> {
    const held = new DisposableStack()
    const release = () => held.dispose()
    let isTaken = false
    try {
      const reserve = async (bytes: number) => held.use(await options.memory.reserve(bytes, request.signal))
      const body = await readBody(request, { maxBytes: MAX_JSON_BYTES, clock: options.clock, reserve })
      if (body === undefined)
        return refusal('REQUEST_TOO_LARGE', `The body is too large; the maximum is ${MAX_JSON_BYTES} bytes.`)
      const message = parseJson(body.toString('utf8'))
      if (message === undefined) return refusal('BAD_REQUEST', 'The body is not JSON.', {}, PARSE_ERROR)
      const { serveMessage } = await import('./streams.ts')
      isTaken = true
      return await serveMessage(request, message, context, release)
    } finally {
      if (!isTaken) release()
    }
  }
}

async function resume(request: Request, lastEventId: string, context: McpContext): Promise<Response> {
  const { decodeTicket } = await import('./ticket.ts')
  const ticket = decodeTicket(lastEventId)
  if (!ticket) return refusal('BAD_REQUEST', 'Last-Event-ID is not an id of this server.')
  const { resumeStream } = await import('./streams.ts')
  return resumeStream(request, ticket, context)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function toRefusal(error: unknown): Response {
  const known = gatewayErrorOf(error)
  if (known) {
    const { code, message } = known
    const challenge = code === 'UNAUTHENTICATED' ? { 'www-authenticate': 'Bearer realm="darkroom"' } : {}
    return errorResponse(statusOf(code), code, message, { ...retryHeaders(known), ...challenge })
  }
  if (error instanceof GraphQLError && isRequestErrorCode(error.extensions['code']))
    return refusal(error.extensions['code'], error.message)
  throw error
}

function isRequestErrorCode(code: unknown): code is RequestErrorCode {
  return typeof code === 'string' && Object.hasOwn(REQUEST_ERRORS, code)
}

/** JSON-RPC 2.0: an implementation's own errors, and text that is not JSON. */
const SERVER_ERROR = -32000
const PARSE_ERROR = -32700

function refusal(
  code: RequestErrorCode,
  message: string,
  headers: Record<string, string> = {},
  rpcCode = SERVER_ERROR,
): Response {
  return errorResponse(REQUEST_ERRORS[code], code, message, headers, rpcCode)
}

function errorResponse(
  status: number,
  code: string,
  message: string,
  headers: Record<string, string>,
  rpcCode = SERVER_ERROR,
): Response {
  const error = { code: rpcCode, message, data: { code } }
  return Response.json({ jsonrpc: '2.0', error, id: null }, { status, headers })
}

const PREFLIGHT = {
  'access-control-allow-methods': 'GET, POST',
  'access-control-allow-headers':
    'authorization, content-type, accept, darkroom-project, last-event-id, mcp-protocol-version, mcp-session-id',
  'access-control-max-age': '600',
}

function withCors(response: Response, origin: string | null, corsOrigins: readonly string[]): Response {
  response.headers.append('vary', 'origin')
  if (origin !== null && corsOrigins.includes(origin))
    response.headers.set('access-control-allow-origin', origin)
  return response
}
