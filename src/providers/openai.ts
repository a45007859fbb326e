// OpenAI's Images API and the many servers that speak it: platform.openai.com/docs/api-reference/images. It answers at
// once, as JSON or as a stream with previews, and knows neither remote ids nor a way to cancel.
import { replyRule } from './address.ts'
import { createDownloader } from './download.ts'
import { createUpstream, readText, type Reply } from './http.ts'
import { errorIn, statusFailure, type ErrorContext } from './openai/failure.ts'
import { offersOf, openaiOptions, type OpenaiOptions } from './openai/options.ts'
import { toMessage } from './openai/order.ts'
import { readAnswer } from './openai/reply.ts'
import type { Dialect, Provider } from './provider.ts'

export const openai: Dialect<OpenaiOptions> = {
  options: openaiOptions,

  // The names that OpenAI's own clients read.
  fromEnvironment(env) {
    if (!env.OPENAI_API_KEY) return undefined
    return {
      apiKey: env.OPENAI_API_KEY,
      ...(env.OPENAI_BASE_URL && { baseUrl: env.OPENAI_BASE_URL }),
      ...(env.OPENAI_ORG_ID && { organization: env.OPENAI_ORG_ID }),
      ...(env.OPENAI_PROJECT_ID && { project: env.OPENAI_PROJECT_ID }),
    }
  },

  create: createOpenai,
}

function createOpenai(name: string, options: OpenaiOptions): Provider {
  const { baseUrl, apiKey, concurrency, timeoutMs, unbilledServerErrors } = options
  const upstream = createUpstream({ name, baseUrl, timeoutMs, secrets: [apiKey] })
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
    name,
    dialect: 'openai',
    offers: offersOf(options),
    concurrency,
    timeoutMs,

    async submit(order, call) {
      const reply = await upstream.send(await toMessage(order, call, options), call)
      const context = contextOf(reply)
      if (reply.status < 200 || reply.status >= 300) {
        throw statusFailure(errorIn(parseOrUndefined(await readText(reply.body))), context)
      }
      const fetchLink = async (url: string) => {
        const file = call.newFile()
        await downloader.download(url, file, call.signal)
        return file
      }
      return readAnswer(reply, order, call, { ...context, fetchLink })
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
