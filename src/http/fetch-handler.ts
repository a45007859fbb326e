import type { App } from './app.ts'

/** Serves requests of the Fetch API, for the server of another program. */
export interface FetchHandler {
  /** Resolves to a response of the global class `Response`. `remoteAddress`: the IP address of the connection, if known. */
  fetch(request: Request, remoteAddress?: string): Promise<Response>
  /** Cuts every open event stream, so that viewers reconnect to another process. */
  cutStreams(): void
}

/** Makes the app's responses fit for any server that takes a `Response`. */
export function createFetchHandler(app: App): FetchHandler {
  const cuts = new Set<() => void>()
  return {
    async fetch(request, remoteAddress) {
      const response = await app(request, remoteAddress)
      const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') ?? false
      // The app also returns the Response of another library, which frameworks that check the class refuse.
      if (response instanceof globalThis.Response && !isStream) return response
      const { status, statusText, headers, body } = response
      const copied = { status, statusText, headers: [...headers] }
      return new globalThis.Response(body && relay(body, isStream ? cuts : undefined), copied)
    },
    cutStreams() {
      for (const cut of cuts) cut()
    },
  }
}

/** The same bytes as a stream of Node's own class: read only as fast as they are taken, and given up when it is canceled. */
function relay(body: AsyncIterable<Uint8Array>, cuts: Set<() => void> | undefined): ReadableStream {
  const source = body[Symbol.asyncIterator]()
  let cut: (() => void) | undefined
  const end = () => {
    if (cut) cuts?.delete(cut)
  }
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        cut = () => {
          end()
          // An error rather than an end: a stream that ends in good order would be taken for whole.
          controller.error(new Error('The gateway is stopping.'))
          void source.return?.()
        }
        cuts?.add(cut)
      },
      async pull(controller) {
        const { done, value } = await source.next()
        if (!done) return controller.enqueue(value)
        end()
        controller.close()
      },
      async cancel() {
        end()
        await source.return?.()
      },
    },
    { highWaterMark: 0 },
  )
}
