import { replyRule } from '../wire/address.ts'
import { createDownloader } from '../wire/download.ts'
import { createUpstream, readText, type Message, type Reply } from '../wire/http.ts'
import type { Answer, Call, ProviderRequest } from '../provider.ts'
import { errorIn, statusFailure, type ErrorContext } from './failure.ts'
import { readAnswer } from './reply.ts'

/** An account at a server that answers as OpenAI's Images API does. */
export interface ImagesApi {
  /** Places the order with this message, and waits for its pictures. Throws ProviderError. */
  exchange(message: Message, request: ProviderRequest, call: Call): Promise<Answer>
  close(): Promise<void>
}

export interface ImagesApiOptions {
  name: string
  baseUrl: string
  timeoutMs: number
  /** What no message may show. */
  secrets: readonly string[]
  unbilledServerErrors: boolean
  /** Takes a wrapper off a parsed body, or throws the ProviderError that the wrapper tells; by default there is none. */
  unwrap?: (json: unknown, context: ErrorContext, call: Pick<Call, 'onWire'>) => unknown
}

/** Opens nothing yet: sockets come with the first exchange. */
export function createImagesApi(options: ImagesApiOptions): ImagesApi {
  const { name, baseUrl, unbilledServerErrors, unwrap = (json: unknown) => json } = options
  const upstream = createUpstream(options)
  const downloader = createDownloader({ rule: replyRule(baseUrl), maxBytes: 128 * 1024 * 1024 })

  function contextOf({ status, requestId, retryAfterMs }: Reply): ErrorContext {
    return {
      provider: name,
      clean: (text) => upstream.clean(text),
      status,
      requestId,
      retryAfterMs,
      unbilledServerErrors,
    }
  }

  return {
    async exchange(message, request, call) {
      const reply = await upstream.place(message, call)
      const context = contextOf(reply)
      if (reply.status < 200 || reply.status >= 300) {
        const json = unwrap(parseOrUndefined(await readText(reply.body)), context, call)
        throw statusFailure(errorIn(json), context)
      }
      const fetchLink = async (url: string) => {
        const file = call.newFile()
        await downloader.download(url, file, call.signal)
        return file
      }
      return readAnswer(reply, request, call, {
        ...context,
        fetchLink,
        unwrap: (json) => unwrap(json, context, call),
      })
    },

    async close() {
      await Promise.all([upstream.close(), downloader.close()])
    },
  }
}

function parseOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
