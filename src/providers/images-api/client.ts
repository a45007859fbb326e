import type { Call } from '../provider.ts'
import { replyRule } from '../wire/address.ts'
import { createDownloader } from '../wire/download.ts'
import { createUpstream, type Message, type Reply } from '../wire/http.ts'

/** What the operator declares to be never billed: statuses from 500, or every failed request. */
export type Unbilled = 'NOTHING' | 'SERVER_ERRORS' | 'FAILURES'

export interface ProviderReply extends Reply {
  provider: string
  unbilled: Unbilled
  /** Downloads a link into a spool file. Throws DownloadError. */
  fetchLink: (url: string) => Promise<string>
}

export interface ImagesClient {
  /** Sends a message that may cost money. Throws ProviderError. */
  submit(message: Message, call: Call): Promise<ProviderReply>
  /** Sends a message that is free of charge. Throws ProviderError. */
  ask(message: Message, call: Call): Promise<ProviderReply>
  redact(text: string): string
  close(): Promise<void>
}

export interface ImagesClientOptions {
  name: string
  baseUrl: string
  timeoutMs: number
  secrets: readonly string[]
  unbilled: Unbilled
}

const MAX_IMAGE_BYTES = 128 * 1024 * 1024

export function createImagesClient(options: ImagesClientOptions): ImagesClient {
  const { name: provider, baseUrl, unbilled } = options
  const upstream = createUpstream(options)
  const downloader = createDownloader({ rule: replyRule(baseUrl), maxBytes: MAX_IMAGE_BYTES })

  function toProviderReply(reply: Reply, call: Call): ProviderReply {
    return {
      ...reply,
      provider,
      unbilled,
      async fetchLink(url) {
        const file = call.newFile()
        await downloader.download(url, file, call.signal)
        return file
      },
    }
  }

  return {
    submit: async (message, call) => toProviderReply(await upstream.submit(message, call), call),
    ask: async (message, call) => toProviderReply(await upstream.send(message, call), call),
    redact: (text) => upstream.redact(text),
    async close() {
      await Promise.all([upstream.close(), downloader.close()])
    },
  }
}

export function isSuccess({ status }: Pick<Reply, 'status'>): boolean {
  return status >= 200 && status < 300
}

/** The reply with a request id from its body, which is reported to the call; unchanged without one. */
export function withRequestId(
  reply: ProviderReply,
  id: string | null | undefined,
  { onWire }: Pick<Call, 'onWire'>,
): ProviderReply {
  const requestId = reply.clean(id ?? '').slice(0, 200)
  if (requestId === '') return reply
  onWire('BODY_DONE', { providerRequestId: requestId })
  return { ...reply, requestId }
}
