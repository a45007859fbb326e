import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createServerAdapter } from '@whatwg-node/server'
import type { App } from './app.ts'
import type { Sockets } from './websocket.ts'

export interface Listener {
  /** Where it listens, without a slash at the end. */
  url: string
  /** Takes no new connections, ends the open ones and frees the port. */
  close(): Promise<void>
}

/** Listens on a real port; 0 picks a free one. Rejects when the port is taken. */
export async function listen(
  app: App,
  sockets: Sockets,
  at: { host: string; port: number },
): Promise<Listener> {
  const adapter = createServerAdapter(app)
  const server = createServer(
    {
      maxHeaderSize: 16_384,
      headersTimeout: 15_000,
      requestTimeout: 120_000,
      // Other upgrades are offers that a server may ignore: `curl --http2` makes one with every request.
      shouldUpgradeCallback: ({ headers }) => headers.upgrade?.toLowerCase() === 'websocket',
    },
    (request, response) => {
      void adapter(request, response)
    },
  )
  server.on('upgrade', (request, socket, head) => sockets.upgrade(request, socket, head))
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(at.port, at.host, resolve)
  })
  return { url: urlOf(server, at.host), close: () => close(server, sockets) }
}

async function close(server: Server, sockets: Sockets): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  await sockets.close()
  // An open event stream would keep the server open for ever; its client comes back with its cursor.
  server.closeAllConnections()
  await closed
}

function urlOf(server: Server, host: string): string {
  // A text only for pipes, null only before it listens.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const { port } = server.address() as AddressInfo
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}
