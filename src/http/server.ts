import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { systemClock } from '../clock.ts'
import type { App } from './app.ts'
import { withoutBase } from './base-path.ts'
import type { Sockets } from './graphql/websocket.ts'
import { createNodeHandler } from './node-handler.ts'
import { isRestPath } from './rest/paths.ts'
import { errorBody, problemHeaders, problemOf } from './rest/problem.ts'
import { answerClientErrors } from './security/client-errors.ts'
import { closeSlowClients, DEFAULT_SLOW_CLIENT_TIMEOUT_MS } from './security/slow-client.ts'

export interface Listener {
  url: string
  /** Subscribers reconnect to another process; requests are still served. */
  closeStreams(): Promise<void>
  close(): Promise<void>
}

/** For receiving a request; `checkMs` is the interval of their check. */
const DEFAULT_TIMEOUTS = { headersMs: 14_000, requestMs: 59_000, checkMs: 1_000 }

/** Linux resets connections that wait beyond it for a busy process. The maximum of Linux by default (net.core.somaxconn). */
const BACKLOG = 4_096

/** Port 0 picks a free one. Rejects if the port is in use. */
export async function listen(
  app: App,
  sockets: Sockets,
  options: {
    host: string
    port: number
    basePath?: string
    timeouts?: typeof DEFAULT_TIMEOUTS
    slowClientTimeoutMs?: number
  },
): Promise<Listener> {
  const { headersMs, requestMs, checkMs } = options.timeouts ?? DEFAULT_TIMEOUTS
  const basePath = options.basePath ?? ''
  const handler = createNodeHandler(app, basePath)
  const server = createServer(
    {
      maxHeaderSize: 16_384,
      headersTimeout: headersMs,
      requestTimeout: requestMs,
      connectionsCheckingInterval: checkMs,
      // A request may wait for minutes without a byte.
      keepAlive: true,
      keepAliveInitialDelay: 30_000,
      // A server may ignore other upgrades, such as those of `curl --http2`.
      shouldUpgradeCallback: ({ headers }) => headers.upgrade?.toLowerCase() === 'websocket',
    },
    (request, response) => {
      void handler.handle(request, response)
    },
  )
  // Node keeps what was read once; a reset removes the address.
  server.on('connection', (socket) => void socket.remoteAddress)
  answerClientErrors(server, (requestUrl, code, message) => {
    const [path = '/'] = withoutBase(requestUrl, basePath).split('?')
    if (!isRestPath(path)) return undefined
    const problem = problemOf({ is: 'HTTP', code, message })
    return { body: errorBody(problem), headers: problemHeaders(problem) }
  })
  closeSlowClients(server, options.slowClientTimeoutMs ?? DEFAULT_SLOW_CLIENT_TIMEOUT_MS, systemClock)
  server.on('upgrade', (request, socket, head) => sockets.upgrade(request, socket, head))
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ port: options.port, host: options.host, backlog: BACKLOG }, resolve)
  })
  return {
    url: urlOf(options.host, portOf(server)),
    async closeStreams() {
      await sockets.close()
      handler.abortStreams()
    },
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      await sockets.close()
      server.closeAllConnections()
      await closed
    },
  }
}

function portOf(server: Server): number {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return (server.address() as AddressInfo).port
}

/** A wildcard becomes a loopback address. */
export function urlOf(host: string, port: number): string {
  const reachable = { '0.0.0.0': '127.0.0.1', '::': '::1' }[host] ?? host
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`
}
