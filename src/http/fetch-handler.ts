import type { App } from './app.ts'
import { withoutBase } from './base-path.ts'

/** Serves requests of the Fetch API, for the server of another program. */
export interface FetchHandler {
  /** Resolves to a response of the global class `Response`. `remoteAddress`: the IP address of the connection, if known. */
  fetch(request: Request, remoteAddress?: string): Promise<Response>
  /** Cuts every open event stream, so that viewers reconnect to another process. */
  cutStreams(): void
}

/** Serves the app below `basePath`, which is empty for none, as well as without it. */
export function createFetchHandler(app: App, basePath: string): FetchHandler {
  const streams = new Set<Relay>()
  return {
    async fetch(request, remoteAddress) {
      const gone = new AbortController()
      const response = await app(adopt(request, basePath, gone.signal), remoteAddress)
      const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') ?? false
      // The app also returns the Response of another library, which frameworks that check the class refuse.
      if (response instanceof globalThis.Response && !isStream) return response
      const { status, statusText, headers, body } = response
      const init = { status, statusText, headers: [...headers] }
      if (body === null) return new globalThis.Response(null, init)
      const abort = () => relay.cut(request.signal.reason)
      const relay = createRelay(body, () => {
        streams.delete(relay)
        request.signal.removeEventListener('abort', abort)
        gone.abort()
      })
      if (request.signal.aborted) abort()
      else request.signal.addEventListener('abort', abort)
      if (isStream) streams.add(relay)
      return new globalThis.Response(relay.stream, init)
    },
    cutStreams() {
      // An error rather than an end: a stream that ends in good order would be taken for whole.
      for (const { cut } of streams) cut(new Error('The gateway is stopping.'))
    },
  }
}

/** The same request below the base path, which is also aborted when nobody reads its response any more. */
function adopt(request: Request, basePath: string, gone: AbortSignal): Request {
  const url = URL.parse(request.url)
  if (url) url.pathname = withoutBase(url.pathname, basePath)
  const { method, headers, body } = request
  const signal = AbortSignal.any([request.signal, gone])
  return new globalThis.Request(url ?? request.url, {
    method,
    headers,
    signal,
    ...(body && { body, duplex: 'half' }),
  })
}

interface Relay {
  stream: ReadableStream<Uint8Array>
  /** Ends it with an error. */
  cut: (reason: unknown) => void
}

/** The bytes of a body as a stream of Node's own class, read only as fast as they are taken. `ended` is called at its end. */
function createRelay(body: AsyncIterable<Uint8Array>, ended: () => void): Relay {
  const source = body[Symbol.asyncIterator]()
  let fail: Relay['cut'] | undefined
  let begun = false
  const giveUp = () => {
    ended()
    // Yoga throws out of its own stream when it is given up before it was read.
    if (begun) void source.return?.().catch(() => {})
  }
  const stream = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        fail = (reason) => {
          controller.error(reason)
          giveUp()
        }
      },
      async pull(controller) {
        begun = true
        const { done, value } = await source.next().catch((error: unknown) => {
          ended()
          throw error
        })
        if (!done) return controller.enqueue(value)
        ended()
        controller.close()
      },
      cancel: giveUp,
    },
    { highWaterMark: 0 },
  )
  return { stream, cut: (reason) => fail?.(reason) }
}
