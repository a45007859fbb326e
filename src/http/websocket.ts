// graphql-ws over the same Yoga pipeline: the same parsing, validation, context and masking as over HTTP.
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { GraphQLError } from 'graphql'
import { useServer } from 'graphql-ws/use/ws'
import { WebSocketServer } from 'ws'
import type { Logger } from '../log.ts'
import { codedRequestError, type GraphQLServer } from './graphql.ts'
import { createMask } from './mask.ts'

export interface Sockets {
  /** Takes over an HTTP connection that wants to become a WebSocket at /graphql; refuses any other. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void
  /** Closes every socket with 1001, which clients take as "come back". */
  close(): Promise<void>
}

/** Operations and variables only: images belong into uploads over HTTP. */
const MAX_MESSAGE_BYTES = 1024 * 1024

/** Browsers may connect from our own pages and from the origins named; everything else may connect freely. */
export function createSockets(
  yoga: GraphQLServer,
  options: { corsOrigins: readonly string[]; log: Logger },
): Sockets {
  const mask = createMask(options.log)
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_MESSAGE_BYTES,
    perMessageDeflate: false,
  })
  // Pings find clients that are gone without a word; 12 s is the protocol library's default.
  const protocol = useServer(
    {
      execute: (args) => pipelineOf(args).execute(args),
      subscribe: (args) => pipelineOf(args).subscribe(args),
      onSubscribe: async (ctx, _id, payload) => {
        try {
          const pipeline = yoga.getEnveloped({ request: asRequest(ctx.extra.request), params: payload })
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
    12_000,
  )

  return {
    upgrade(request, socket, head) {
      // The path of `GET //` is no URL, and an error thrown here would end the process.
      const path = URL.parse(request.url ?? '/', 'http://here')?.pathname
      if (path !== '/graphql') return refuse(socket, '404 Not Found')
      if (!isAllowedOrigin(request, options.corsOrigins)) return refuse(socket, '403 Forbidden')
      server.handleUpgrade(request, socket, head, (ws) => server.emit('connection', ws, request))
    },
    async close() {
      await protocol.dispose()
    },
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

/**
 * The upgrade as a Request, because context is made from one: the same host, headers and rights as over HTTP. A POST,
 * because Yoga refuses mutations by GET, for the sake of links that are followed unasked; a socket is no link.
 */
function asRequest({ headers }: IncomingMessage): Request {
  const copy = new Headers()
  for (const [name, value] of Object.entries(headers)) if (typeof value === 'string') copy.set(name, value)
  return new Request(`http://${headers.host ?? 'localhost'}/graphql`, { method: 'POST', headers: copy })
}

/** Browsers let any page open a socket to any server, so the page's origin must be ours or one the operator named. */
function isAllowedOrigin({ headers }: IncomingMessage, allowed: readonly string[]): boolean {
  const { origin, host } = headers
  if (origin === undefined) return true
  return allowed.includes(origin) || URL.parse(origin)?.host === host
}

function refuse(socket: Duplex, status: string): void {
  // A client that is gone already must not end the process, and one that stays must not keep the socket open.
  socket.on('error', () => {})
  socket.once('finish', () => socket.destroy())
  socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`)
}
