import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServerAdapter } from '@whatwg-node/server'
import type { App } from './app.ts'
import { withoutBase } from './base-path.ts'

/** Serves requests of node:http. */
export interface NodeHandler {
  /** Resolves once the response was handed over. */
  handle(request: NodeRequest, response: ServerResponse): Promise<void>
  /** Cuts every open event stream, so that viewers reconnect to another process. */
  cutStreams(): void
}

/** `originalUrl` is Express's: the whole path, where `url` lacks what the router took off. */
type NodeRequest = IncomingMessage & { originalUrl?: string }

/** Serves the app below `basePath`, which is empty for none, as well as without it. */
export function createNodeHandler(app: App, basePath: string): NodeHandler {
  const streams = new Set<ServerResponse>()
  const adapter = createServerAdapter<{ req?: IncomingMessage; res?: ServerResponse }>(
    async (request, { req, res }) => {
      const answer = await app(request, req?.socket.remoteAddress)
      if (res && answer.headers.get('content-type')?.startsWith('text/event-stream')) {
        streams.add(res)
        res.once('close', () => streams.delete(res))
      }
      return answer
    },
  )
  return {
    async handle(request, response) {
      await atPath(request, withoutBase(request.originalUrl ?? request.url ?? '/', basePath), () =>
        adapter(request, response),
      )
    },
    cutStreams() {
      // Torn rather than ended: a stream that ends in good order would be taken for whole.
      for (const stream of streams) stream.destroy()
    },
  }
}

/** Shows the adapter another path, which it reads at once; the other handlers of the server see the real one. */
function atPath<T>(request: NodeRequest, path: string, run: () => T): T {
  const { url, originalUrl } = request
  request.url = path
  if (originalUrl !== undefined) request.originalUrl = path
  try {
    return run()
  } finally {
    if (url !== undefined) request.url = url
    if (originalUrl !== undefined) request.originalUrl = originalUrl
  }
}
