// graphql-ws over the same Yoga pipeline: the same parsing, validation, context and masking as over HTTP.
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
import { keyInUrl, socketCredentialOf } from '../security/auth.ts'
import type { Client, createClientReader } from '../security/client.ts'
import { hostProblem } from '../security/cross-site.ts'
import { codedRequestError, type GraphQLServer } from './graphql.ts'
import { createMask } from './mask.ts'
import { dismiss, limitFrames, MOST_MESSAGE_BYTES, tooManySubscriptions } from './socket-limits.ts'

export interface Sockets {
  /** Takes over an HTTP connection that wants to become a WebSocket at /graphql; refuses any other. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void
  /** Closes every socket with 1001, which clients take as "come back". */
  close(): Promise<void>
}

/** Browsers may connect from our own pages and from the origins named; everything else may connect freely. */
export function createSockets(
  yoga: GraphQLServer,
  options: {
    corsOrigins: readonly string[]
    keyring: Pick<Keyring, 'admit' | 'watch'>
    /** The operator's; null when there is none. */
    adminKey: string | null
    readClient: ReturnType<typeof createClientReader>
    /** Where clients reach the server; null when nobody said. */
    publicUrl: string | null
    clock: Clock
    log: Logger
    /** How often a client is asked whether it is still there, in milliseconds; it has as long to answer. */
    keepAliveMs?: number
  },
): Sockets {
  const mask = createMask(options.log)
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: MOST_MESSAGE_BYTES,
    perMessageDeflate: false,
  })
  // Pings find clients that are gone without a word.
  const protocol = useServer<ConnectionInitMessage['payload'], { caller?: Access }>(
    {
      // What goes wrong in here is told in the log; the reason that a socket is closed with names nothing.
      isProd: true,
      onConnect: async ({ connectionParams, extra }) => {
        const { socket, request } = extra
        try {
          const caller = await options.keyring.admit(socketCredentialOf(headerOf(request), connectionParams))
          const stop = options.keyring.watch(caller, () =>
            dismiss(socket, options.clock, FORBIDDEN, 'The API key is no longer good.'),
          )
          socket.once('close', stop)
          extra.caller = caller
          return true
        } catch (error) {
          if (!(error instanceof GatewayError)) throw error
          dismiss(socket, options.clock, FORBIDDEN, error.message.slice(0, 120))
          return false
        }
      },
      execute: async (args) => asMessages(await pipelineOf(args).execute(args)),
      subscribe: async (args) => asMessages(await pipelineOf(args).subscribe(args)),
      onSubscribe: async (ctx, _id, payload) => {
        try {
          // The one that is asked for is among them already.
          const refused = tooManySubscriptions(Object.keys(ctx.subscriptions).length)
          if (refused) return [answer(refused)]
          const { request: upgrade, caller } = ctx.extra
          const pipeline = yoga.getEnveloped({
            request: asRequest(upgrade),
            params: payload,
            client: clientOf(upgrade),
            ...(caller && { caller }),
            socket: { traceparent: textOf(ctx.connectionParams?.['traceparent']) },
          })
          const document = pipeline.parse(payload.query)
          const invalid: GraphQLError[] = pipeline.validate(pipeline.schema, document)
          if (invalid.length > 0) return invalid.map(answer)
          return {
            schema: pipeline.schema,
            document,
            operationName: payload.operationName,
            variableValues: payload.variables,
            contextValue: await pipeline.contextFactory(),
            rootValue: { pipeline },
          }
        } catch (error) {
          // An answer to this operation alone: thrown on, it would close the socket on all the others, text and all.
          return [answer(mask(error))]
        }
      },
    },
    server,
    options.keepAliveMs ?? 12_000,
  )

  let disposed: Promise<void> | undefined
  return {
    upgrade(request, socket, head) {
      // The path of `GET //` is no URL, and an error thrown here would end the process.
      const path = URL.parse(request.url ?? '/', 'http://here')?.pathname
      if (path === undefined || withoutBase(path, basePathOf(options.publicUrl)) !== '/graphql')
        return refuse(socket, '404 Not Found')
      if (URL.parse(originOf(request)) === null) return refuse(socket, '400 Bad Request')
      if (keyInUrl(request.url ?? '', options.adminKey) !== undefined)
        return refuse(socket, '400 Bad Request')
      const client = clientOf(request)
      if (hostProblem(client.origin, options.publicUrl) !== undefined || !isAllowedOrigin(request, client))
        return refuse(socket, '403 Forbidden')
      server.handleUpgrade(request, socket, head, (ws) => {
        forgiveLeaving(ws)
        server.emit('connection', ws, request)
        // The protocol library would write to the console what any client can cause, such as a frame that is too big.
        ws.removeAllListeners('error')
        ws.on('error', (error) => options.log.debug({ err: error }, 'a socket broke'))
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

  /** Browsers let any page open a socket to any server, so the page's origin must be ours or one the operator named. */
  function isAllowedOrigin({ headers }: IncomingMessage, client: Client): boolean {
    const { origin } = headers
    if (origin === undefined || options.corsOrigins.includes(origin)) return true
    const ours = [client.origin, ...(options.publicUrl === null ? [] : [options.publicUrl])]
    return ours.some((url) => new URL(url).host === URL.parse(origin)?.host)
  }
}

/** A message to a client that has just left is no failure, which the protocol library would write to the console. */
function forgiveLeaving(socket: WebSocket): void {
  const send = socket.send.bind(socket)
  Object.assign(socket, { send: (data: string, sent: () => void) => send(data, () => sent()) })
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}

/** The code that the protocol has for who may not connect. */
const FORBIDDEN = 4403

function headerOf({ headers }: IncomingMessage): (name: string) => string | null {
  return (name) => {
    const value = headers[name]
    return value === undefined ? null : String(value)
  }
}

type Pipeline = ReturnType<GraphQLServer['getEnveloped']>

function pipelineOf(args: { rootValue?: unknown }): Pipeline {
  // What onSubscribe put there.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return (args.rootValue as { pipeline: Pipeline }).pipeline
}

/** The error with a code, and without the HTTP status that Yoga would have answered with. */
function answer(error: GraphQLError): GraphQLError {
  const { message, nodes, source, positions, path, extensions } = codedRequestError(error)
  const { http: _, ...shown } = extensions
  return new GraphQLError(message, { nodes, source, positions, path, extensions: shown })
}

/** A result as it goes over a socket: no status, and a code also for what was refused before it ran. */
function asMessages<Value>(result: Value): Value {
  if (!hasErrors(result)) return result
  return { ...result, errors: result.errors.map(answer) }
}

function hasErrors(result: unknown): result is { errors: GraphQLError[] } {
  return typeof result === 'object' && result !== null && 'errors' in result && Array.isArray(result.errors)
}

/**
 * The upgrade as a Request, because context is made from one: the same host, headers and rights as over HTTP. A POST,
 * because Yoga refuses mutations by GET, for the sake of links that are followed unasked; a socket is no link.
 */
function asRequest(request: IncomingMessage): Request {
  const headers = new Headers()
  for (const [name, value] of Object.entries(request.headers))
    if (typeof value === 'string') headers.set(name, value)
  return new Request(`${originOf(request)}/graphql`, { method: 'POST', headers })
}

function originOf({ headers }: IncomingMessage): string {
  return `http://${headers.host ?? 'localhost'}`
}

function refuse(socket: Duplex, status: string): void {
  // A client that is gone already must not end the process, and one that stays must not keep the socket open.
  socket.on('error', () => {})
  socket.once('finish', () => socket.destroy())
  socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`)
}
