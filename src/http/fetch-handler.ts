import type { App } from './app.ts'
import { withoutBase } from './base-path.ts'
import { deliveryWatchOf } from './delivery.ts'

export interface FetchHandler {
  /** Resolves to the global `Response`. */
  fetch(request: Request, remoteAddress?: string): Promise<Response>
  abortStreams(): void
}

/** Below `basePath` and without it. */
export function createFetchHandler(app: App, basePath: string): FetchHandler {
  const streams = new Set<ReturnType<typeof createRelay>>()
  return {
    async fetch(request, remoteAddress) {
      const ended = new AbortController()
      const response = await app(toAppRequest(request, basePath, ended.signal), remoteAddress)
      const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') ?? false
      // Frameworks that check the class reject the Response of another library.
      const watch = deliveryWatchOf(response)
      if (response instanceof globalThis.Response && !isStream && !watch) return response
      const { status, statusText, headers, body } = response
      const init = { status, statusText, headers: [...headers] }
      if (body === null) return new globalThis.Response(null, init)
      const abort = () => relay.abort(request.signal.reason)
      const relay = createRelay(body, (isComplete) => {
        streams.delete(relay)
        watch?.sent()
        watch?.ended(isComplete)
        request.signal.removeEventListener('abort', abort)
        ended.abort()
      })
      if (request.signal.aborted) abort()
      else request.signal.addEventListener('abort', abort)
      if (watch) watch.abort = () => relay.abort(new Error('The response cannot be completed.'))
      else if (isStream) streams.add(relay)
      return new globalThis.Response(relay.stream, init)
    },
    abortStreams() {
      // Clients reconnect after an aborted stream, but not after a completed one.
      for (const { abort } of streams) abort(new Error('The gateway is stopping.'))
    },
  }
}

function toAppRequest(request: Request, basePath: string, ended: AbortSignal): Request {
  const url = URL.parse(request.url)
  if (url) url.pathname = withoutBase(url.pathname, basePath)
  const { method, headers, body } = request
  const signal = AbortSignal.any([request.signal, ended])
  return new globalThis.Request(url ?? request.url, {
    method,
    headers,
    signal,
    ...(body && { body, duplex: 'half' }),
  })
}

/** To a stream of Node's own class, without buffering. */
function createRelay(body: AsyncIterable<Uint8Array>, onEnd: (isComplete: boolean) => void) {
  const source = body[Symbol.asyncIterator]()
  let abort: ((reason: unknown) => void) | undefined
  let hasStarted = false
  const cancel = () => {
    onEnd(false)
    // Yoga's stream throws when it is closed before the first read.
    if (hasStarted) void source.return?.().catch(() => {})
  }
  const stream = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        abort = (reason) => {
          controller.error(reason)
          cancel()
        }
      },
      async pull(controller) {
        hasStarted = true
        const { done, value } = await source.next().catch((error: unknown) => {
          onEnd(false)
          throw error
        })
        if (!done) return controller.enqueue(value)
        onEnd(true)
        controller.close()
      },
      cancel,
    },
    { highWaterMark: 0 },
  )
  return { stream, abort: (reason: unknown) => abort?.(reason) }
}
