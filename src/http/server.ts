import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { systemClock } from '../clock.ts'
import type { App } from './app.ts'
import { createNodeHandler } from './node-handler.ts'
import { answerClientErrors } from './security/client-errors.ts'
import { letGoOfStuck, STUCK_MS } from './security/slow-client.ts'
import type { Sockets } from './graphql/websocket.ts'

export interface Listener {
  /** Where it listens, without a slash at the end. */
  url: string
  /** Lets go of whoever is watching, so that they come back to another process. Requests are answered as before. */
  dismiss(): Promise<void>
  /** Takes no new connections, ends the open ones and frees the port. */
  close(): Promise<void>
}

/** How long a request may take to arrive, in milliseconds: its headers, all of it, and how often that is looked at. */
interface Patience {
  headersMs: number
  requestMs: number
  checkMs: number
}

/** What is slower than these, 60 MB in a minute, is an attack more often than a bad line. */
const PATIENCE: Patience = { headersMs: 14_000, requestMs: 59_000, checkMs: 1_000 }

/** Listens on a real port; 0 picks a free one. Rejects when the port is taken. */
export async function listen(
  app: App,
  sockets: Sockets,
  at: { host: string; port: number; basePath?: string; patience?: Patience; stuckMs?: number },
): Promise<Listener> {
  const { headersMs, requestMs, checkMs } = at.patience ?? PATIENCE
  const requests = createNodeHandler(app, at.basePath ?? '')
  const server = createServer(
    {
      maxHeaderSize: 16_384,
      headersTimeout: headersMs,
      requestTimeout: requestMs,
      connectionsCheckingInterval: checkMs,
      // Other upgrades are offers that a server may ignore: `curl --http2` makes one with every request.
      shouldUpgradeCallback: ({ headers }) => headers.upgrade?.toLowerCase() === 'websocket',
    },
    (request, response) => {
      void requests.handle(request, response)
    },
  )
  answerClientErrors(server)
  letGoOfStuck(server, at.stuckMs ?? STUCK_MS, systemClock)
  server.on('upgrade', (request, socket, head) => sockets.upgrade(request, socket, head))
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(at.port, at.host, resolve)
  })
  return {
    url: urlOf(server, at.host),
    async dismiss() {
      await sockets.close()
      requests.cutStreams()
    },
    close: () => close(server, sockets),
  }
}

async function close(server: Server, sockets: Sockets): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  await sockets.close()
  // Whatever is still being sent would keep the server open.
  server.closeAllConnections()
  await closed
}

function urlOf(server: Server, host: string): string {
  // A text only for pipes, null only before it listens.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const { port } = server.address() as AddressInfo
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}
