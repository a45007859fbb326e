import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { GraphQLError } from 'graphql'
import type { ConnectionInitMessage } from 'graphql-ws'
import { useServer } from 'graphql-ws/use/ws'
import { WebSocketServer, type WebSocket } from 'ws'
import type { Clock } from '../../clock.ts'
import type { Access } from '../../engine/access/access.ts'
import type { Keyring } from '../../engine/access/keyring.ts'
import { runForClient } from '../../db/connection/priority.ts'
import { gatewayErrorOf } from '../../errors.ts'
import type { Logger } from '../../log.ts'
import { basePathOf, withoutBase } from '../base-path.ts'
import { requestError } from '../refusal.ts'
import { apiKeyInUrlProblem, credentialOf, hasOperatorKey } from '../security/auth.ts'
import type { ClientReader } from '../security/client.ts'
import { hostProblem, isAllowedOrigin } from '../security/cross-site.ts'
import { withRequestErrorCode, type GraphQLServer } from './graphql.ts'
import { createWebSocketSink } from './live/websocket-sink.ts'
import { createMask, toGraphQLError } from './mask.ts'
import type { PersistedQueries } from './persisted-queries.ts'

/** Images are uploaded over HTTP. */
const MAX_MESSAGE_BYTES = 262_144
const MAX_SUBSCRIPTIONS = 50
/** Starting and ending all subscriptions takes a hundred frames. */
const MAX_FRAMES_PER_SECOND = 300
const CLOSE_TIMEOUT_MS = 1_000

export type Sockets = ReturnType<typeof createSockets>

/** graphql-transport-ws through Yoga. Checks the Origin header, which browsers send. */
export function createSockets(
  yoga: GraphQLServer,
  options: {
    corsOrigins: readonly string[]
    keyring: Pick<Keyring, 'authenticate' | 'watch'>
    adminKey: string | null
    readClient: ClientReader
    publicUrl: string | null
    persistedQueries: PersistedQueries
    clock: Clock
    log: Logger
    /** Of pings, and the time limit of an answer. */
    keepAliveMs?: number
  },
) {
  const mask = createMask(options.log)
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_MESSAGE_BYTES,
    perMessageDeflate: false,
  })
  const protocol = useServer<ConnectionInitMessage['payload'], { caller?: Access }>(
    {
      // Keeps error messages out of the close reason.
      isProd: true,
      onConnect: async ({ connectionParams, extra }) => {
        const { socket } = extra
        try {
          const { headers } = toRequest(extra.request)
          const caller = await runForClient(() =>
            options.keyring.authenticate(credentialOf(headers, connectionParams)),
          )
          const stop = options.keyring.watch(caller, () =>
            closeSocket(socket, options.clock, FORBIDDEN, 'The API key is no longer valid.'),
          )
          socket.once('close', stop)
          extra.caller = caller
          return true
        } catch (error) {
          const known = gatewayErrorOf(error)
          if (!known) throw error
          const code = known.code === 'SERVICE_UNAVAILABLE' ? TRY_AGAIN_LATER : FORBIDDEN
          closeSocket(socket, options.clock, code, known.message.slice(0, 120))
          return false
        }
      },
      execute: (args) => runForClient(async () => toMessage(await pipelineOf(args).execute(args))),
      subscribe: (args) => runForClient(async () => toMessage(await pipelineOf(args).subscribe(args))),
      onSubscribe: async (ctx, id, payload) => {
        try {
          // `ctx.subscriptions` includes the new one.
          const refused = tooManySubscriptions(Object.keys(ctx.subscriptions).length)
          if (refused) return [toMessageError(refused)]
          const { caller } = ctx.extra
          const traceparent = ctx.connectionParams?.['traceparent']
          const request = toRequest(ctx.extra.request)
          // The library requires an empty document.
          const isOperator = hasOperatorKey(request.headers, caller, ctx.connectionParams)
          const query = options.persistedQueries({ ...payload }, isOperator)
          if (query === undefined) throw requestError('BAD_REQUEST', 'The message has no "query".')
          const pipeline = yoga.getEnveloped({
            request,
            params: { ...payload, query },
            client: options.readClient(request, ctx.extra.request.socket.remoteAddress),
            ...(caller && { caller }),
            socket: {
              traceparent: typeof traceparent === 'string' ? traceparent : null,
              sink: createWebSocketSink(ctx.extra.socket, ctx.extra.request.socket, id),
            },
          })
          const document = pipeline.parse(query)
          const invalid: GraphQLError[] = pipeline.validate(pipeline.schema, document)
          if (invalid.length > 0) return invalid.map(toMessageError)
          return {
            schema: pipeline.schema,
            document,
            operationName: payload.operationName,
            variableValues: payload.variables,
            contextValue: await pipeline.contextFactory(),
            rootValue: { pipeline },
          }
        } catch (error) {
          // A thrown error would end all operations of the socket.
          return [toMessageError(mask(error))]
        }
      },
    },
    server,
    options.keepAliveMs ?? 12_000,
  )

  let disposed: Promise<void> | undefined
  const closing = new WebSocketServer({ noServer: true })
  return {
    upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
      // A throw would end the process: the path of `GET //` is not a URL.
      const path = URL.parse(request.url ?? '/', 'http://localhost')?.pathname
      if (path === undefined || withoutBase(path, basePathOf(options.publicUrl)) !== '/graphql')
        return refuse(socket, '404 Not Found')
      if (URL.parse(originOf(request)) === null) return refuse(socket, '400 Bad Request')
      if (apiKeyInUrlProblem(request.url ?? '', options.adminKey) !== undefined)
        return refuse(socket, '400 Bad Request')
      const client = options.readClient(toRequest(request), request.socket.remoteAddress)
      // Pages of any site can open a socket.
      const isAllowed = isAllowedOrigin(request.headers.origin ?? null, client.origin, options)
      if (hostProblem(client.origin, options.publicUrl) !== undefined || !isAllowed)
        return refuse(socket, '403 Forbidden')
      // Clients take a refused handshake as permanent, and reconnect after a close code.
      if (disposed)
        return closing.handleUpgrade(request, socket, head, (ws) => {
          ws.on('error', (error) => options.log.debug({ err: error }, 'websocket failed'))
          closeSocket(ws, options.clock, SERVICE_RESTART, 'This server is shutting down.')
        })
      server.handleUpgrade(request, socket, head, (ws) => {
        ignoreSendErrors(ws)
        server.emit('connection', ws, request)
        // The protocol library logs errors, which any client can cause, to the console.
        ws.removeAllListeners('error')
        ws.on('error', (error) => options.log.debug({ err: error }, 'websocket failed'))
        limitFrames(ws, options.clock)
      })
    },
    /** With 1001, after which clients reconnect. */
    async close(): Promise<void> {
      await (disposed ??= Promise.resolve(protocol.dispose()))
    },
  }
}

/** The protocol library would log them to the console. */
function ignoreSendErrors(socket: WebSocket): void {
  const send = socket.send.bind(socket)
  Object.assign(socket, {
    send: (data: string | Buffer, options: object | (() => void)) =>
      typeof options === 'function' ? send(data, () => options()) : send(data, options),
  })
}

/** Of graphql-transport-ws. */
const FORBIDDEN = 4403
/** IANA's registry of WebSocket close codes; graphql-ws then reconnects. */
const TRY_AGAIN_LATER = 1013
const SERVICE_RESTART = 1012

type Pipeline = ReturnType<GraphQLServer['getEnveloped']>

function pipelineOf(args: { rootValue?: unknown }): Pipeline {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return (args.rootValue as { pipeline: Pipeline }).pipeline
}

function toMessageError(error: GraphQLError): GraphQLError {
  const { http: _, ...visible } = withRequestErrorCode(error).extensions
  return toGraphQLError(error.message, visible, error)
}

function toMessage<Value>(result: Value): Value {
  if (!hasErrors(result)) return result
  return { ...result, errors: result.errors.map(toMessageError) }
}

function hasErrors(result: unknown): result is { errors: GraphQLError[] } {
  return typeof result === 'object' && result !== null && 'errors' in result && Array.isArray(result.errors)
}

/** A POST, because Yoga refuses mutations by GET. */
function toRequest(request: IncomingMessage): Request {
  const headers = new Headers()
  for (const [name, value] of Object.entries(request.headers))
    if (typeof value === 'string') headers.set(name, value)
  return new Request(`${originOf(request)}/graphql`, { method: 'POST', headers })
}

function originOf({ headers }: IncomingMessage): string {
  return `http://${headers.host ?? 'localhost'}`
}

function refuse(socket: Duplex, status: string): void {
  // A client's disconnect must not end the process.
  socket.on('error', () => {})
  socket.once('finish', () => socket.destroy())
  socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`)
}

function tooManySubscriptions(active: number) {
  if (active <= MAX_SUBSCRIPTIONS) return undefined
  return requestError(
    'TOO_MANY_SUBSCRIPTIONS',
    `The maximum is ${MAX_SUBSCRIPTIONS} operations per socket. Complete one, or open another socket.`,
  )
}

function limitFrames(socket: WebSocket, clock: Clock): void {
  let windowStart = clock.monotonic()
  let frames = 0
  const count = () => {
    if (clock.monotonic() - windowStart >= 1_000) {
      windowStart = clock.monotonic()
      frames = 0
    }
    if (++frames !== MAX_FRAMES_PER_SECOND + 1) return
    closeSocket(socket, clock, 1008, 'Too many frames per second')
  }
  for (const event of ['message', 'ping', 'pong']) socket.on(event, count)
}

/** Ignores further messages. The protocol allows 123 bytes of reason. */
function closeSocket(socket: WebSocket, clock: Clock, code: number, reason: string): void {
  for (const event of ['message', 'ping', 'pong']) socket.removeAllListeners(event)
  socket.close(code, reason)
  void clock.sleep(CLOSE_TIMEOUT_MS).then(() => socket.terminate())
}
