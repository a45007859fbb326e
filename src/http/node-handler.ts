import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServerAdapter } from '@whatwg-node/server'
import { systemClock } from '../clock.ts'
import type { App } from './app.ts'
import { withoutBase } from './base-path.ts'
import { deliveryWatchOf, followDelivery, noteLeft, noteNextRequest } from './delivery.ts'

export interface NodeHandler {
  handle(request: NodeRequest, response: ServerResponse): Promise<void>
  abortStreams(): void
}

/** In Express, `url` lacks the router's prefix. */
type NodeRequest = IncomingMessage & { originalUrl?: string }

export function createNodeHandler(app: App, basePath: string): NodeHandler {
  const streams = new Set<ServerResponse>()
  const adapter = createServerAdapter<{ req?: IncomingMessage; res?: ServerResponse }>(
    async (request, { req, res }) => {
      if (req) noteLeft(request, req.socket)
      const response = await app(request, req?.socket.remoteAddress)
      if (req && res && !req.complete) await discardRest(req, res)
      const watch = deliveryWatchOf(response)
      if (req && res && watch) followDelivery(req, res, watch)
      else if (res && response.headers.get('content-type')?.startsWith('text/event-stream')) {
        streams.add(res)
        res.once('close', () => streams.delete(res))
      }
      return response
    },
  )
  return {
    async handle(request, response) {
      noteNextRequest(request)
      await atPath(request, withoutBase(request.originalUrl ?? request.url ?? '/', basePath), () =>
        adapter(request, response),
      )
    },
    abortStreams() {
      // Clients reconnect after an aborted stream, but not after a completed one.
      for (const stream of streams) stream.destroy()
    },
  }
}

/** How long a client may send what is not read, before its connection is closed. */
const DISCARD_MS = 30_000

/**
 * Of a request refused before its end. Unread bytes would block the connection's next request. Closing it
 * with them resets it, and many clients then lose the response.
 */
async function discardRest(request: IncomingMessage, { shouldKeepAlive }: ServerResponse): Promise<void> {
  request.resume()
  if (shouldKeepAlive || request.destroyed) return
  const ended = new AbortController()
  for (const event of ['end', 'close', 'error']) request.once(event, () => ended.abort())
  await systemClock.sleep(DISCARD_MS, ended.signal)
}

/** Only while the adapter reads it, which is synchronous. */
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
