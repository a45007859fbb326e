// graphql-transport-ws on the Yoga pipeline: parsing, validation, context and masking are the same as over HTTP.
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { GraphQLError } from 'graphql'
import type { ConnectionInitMessage } from 'graphql-ws'
import { useServer } from 'graphql-ws/use/ws'
import { WebSocketServer, type WebSocket } from 'ws'
import type { Clock } from '../../clock.ts'
import type { Access } from '../../engine/access/access.ts'
import type { Keyring } from '../../engine/access/keyring.ts'
import { GatewayError } from '../../errors.ts'
import type { Logger } from '../../log.ts'
import { basePathOf, withoutBase } from '../base-path.ts'
import { apiKeyInUrlProblem, socketCredentialOf } from '../security/auth.ts'
import type { Client, createClientReader } from '../security/client.ts'
import { hostProblem } from '../security/cross-site.ts'
import { withRequestErrorCode, type GraphQLServer } from './graphql.ts'
import { createMask } from './mask.ts'
import { closeSocket, limitFrames, MAX_MESSAGE_BYTES, tooManySubscriptions } from './socket-limits.ts'

export interface Sockets {
  /** Upgrades a connection to /graphql; refuses any other path. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void
  /** Closes every socket with 1001, which makes clients reconnect. */
  close(): Promise<void>
}

/** Accepts browsers from the server's own origin and from `corsOrigins`, and all clients that send no Origin header. */
export function createSockets(
  yoga: GraphQLServer,
  options: {
    corsOrigins: readonly string[]
    keyring: Pick<Keyring, 'authenticate' | 'watch'>
    adminKey: string | null
    readClient: ReturnType<typeof createClientReader>
    publicUrl: string | null
    clock: Clock
    log: Logger
    /** Interval of pings, and the time to answer one. */
    keepAliveMs?: number
  },
): Sockets {
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
        const { socket, request } = extra
        try {
          const caller = await options.keyring.authenticate(
            socketCredentialOf(headerOf(request), connectionParams),
          )
          const stop = options.keyring.watch(caller, () =>
            closeSocket(socket, options.clock, FORBIDDEN, 'The API key is no longer valid.'),
          )
          socket.once('close', stop)
          extra.caller = caller
          return true
        } catch (error) {
          if (!(error instanceof GatewayError)) throw error
          closeSocket(socket, options.clock, FORBIDDEN, error.message.slice(0, 120))
          return false
        }
      },
      execute: async (args) => toMessage(await pipelineOf(args).execute(args)),
      subscribe: async (args) => toMessage(await pipelineOf(args).subscribe(args)),
      onSubscribe: async (ctx, _id, payload) => {
        try {
          // `ctx.subscriptions` includes the new one.
          const refused = tooManySubscriptions(Object.keys(ctx.subscriptions).length)
          if (refused) return [toMessageError(refused)]
          const { request: upgrade, caller } = ctx.extra
          const pipeline = yoga.getEnveloped({
            request: toRequest(upgrade),
            params: payload,
            client: clientOf(upgrade),
            ...(caller && { caller }),
            socket: { traceparent: textOf(ctx.connectionParams?.['traceparent']) },
          })
          const document = pipeline.parse(payload.query)
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
          // A thrown error would close the socket and with it all other operations.
          return [toMessageError(mask(error))]
        }
      },
    },
    server,
    options.keepAliveMs ?? 12_000,
  )

  let disposed: Promise<void> | undefined
  return {
    upgrade(request, socket, head) {
      // Must not throw, which would end the process: the path of `GET //` is not a URL.
      const path = URL.parse(request.url ?? '/', 'http://localhost')?.pathname
      if (path === undefined || withoutBase(path, basePathOf(options.publicUrl)) !== '/graphql')
        return refuse(socket, '404 Not Found')
      if (URL.parse(originOf(request)) === null) return refuse(socket, '400 Bad Request')
      if (apiKeyInUrlProblem(request.url ?? '', options.adminKey) !== undefined)
        return refuse(socket, '400 Bad Request')
      const client = clientOf(request)
      if (hostProblem(client.origin, options.publicUrl) !== undefined || !isAllowedOrigin(request, client))
        return refuse(socket, '403 Forbidden')
      server.handleUpgrade(request, socket, head, (ws) => {
        ignoreSendErrors(ws)
        server.emit('connection', ws, request)
        // The protocol library logs errors to the console, although any client can cause them.
        ws.removeAllListeners('error')
        ws.on('error', (error) => options.log.debug({ err: error }, 'websocket failed'))
        limitFrames(ws, options.clock)
      })
    },
    async close() {
      await (disposed ??= Promise.resolve(protocol.dispose()))
    },
  }

  function clientOf(request: IncomingMessage): Client {
    return options.readClient({
      remoteAddress: request.socket.remoteAddress,
      header: headerOf(request),
      origin: originOf(request),
    })
  }

  /** Browsers allow pages to open a socket to any server, so the Origin header must be checked. */
  function isAllowedOrigin({ headers }: IncomingMessage, client: Client): boolean {
    const { origin } = headers
    if (origin === undefined || options.corsOrigins.includes(origin)) return true
    const own = [client.origin, ...(options.publicUrl === null ? [] : [options.publicUrl])]
    return own.some((url) => new URL(url).host === URL.parse(origin)?.host)
  }
}

/** Ignores failed sends to a disconnected client, which the protocol library would log to the console. */
function ignoreSendErrors(socket: WebSocket): void {
  const send = socket.send.bind(socket)
  Object.assign(socket, { send: (data: string, sent: () => void) => send(data, () => sent()) })
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}

/** graphql-transport-ws close code. */
const FORBIDDEN = 4403

function headerOf({ headers }: IncomingMessage): (name: string) => string | null {
  return (name) => {
    const value = headers[name]
    return value === undefined ? null : String(value)
  }
}

type Pipeline = ReturnType<GraphQLServer['getEnveloped']>

function pipelineOf(args: { rootValue?: unknown }): Pipeline {
  // Set by onSubscribe.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return (args.rootValue as { pipeline: Pipeline }).pipeline
}

/** Adds a code, and removes the HTTP status for Yoga. */
function toMessageError(error: GraphQLError): GraphQLError {
  const { message, nodes, source, positions, path, extensions } = withRequestErrorCode(error)
  const { http: _, ...visible } = extensions
  return new GraphQLError(message, { nodes, source, positions, path, extensions: visible })
}

function toMessage<Value>(result: Value): Value {
  if (!hasErrors(result)) return result
  return { ...result, errors: result.errors.map(toMessageError) }
}

function hasErrors(result: unknown): result is { errors: GraphQLError[] } {
  return typeof result === 'object' && result !== null && 'errors' in result && Array.isArray(result.errors)
}

/** The upgrade as a Request for the context. A POST, because Yoga refuses mutations by GET. */
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
  // An error of a disconnected client must not end the process.
  socket.on('error', () => {})
  socket.once('finish', () => socket.destroy())
  socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`)
}
