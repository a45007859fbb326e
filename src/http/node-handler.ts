import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServerAdapter } from '@whatwg-node/server'
import type { App } from './app.ts'

/** Serves requests of node:http. */
export interface NodeHandler {
  /** Resolves once the response was handed over. */
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>
  /** Cuts every open event stream, so that viewers reconnect to another process. */
  cutStreams(): void
}

/** Turns requests of node:http into requests of the app. */
export function createNodeHandler(app: App): NodeHandler {
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
      await adapter(request, response)
    },
    cutStreams() {
      // Torn rather than ended: a stream that ends in good order would be taken for whole.
      for (const stream of streams) stream.destroy()
    },
  }
}
