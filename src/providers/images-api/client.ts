import type { Call } from '../provider.ts'
import { replyRule } from '../wire/address.ts'
import { createDownloader } from '../wire/download.ts'
import { createUpstream, type Message, type Reply } from '../wire/http.ts'

/** What the operator declares to be never billed: statuses of 500 or more, or every failed request. */
export type Unbilled = 'NOTHING' | 'SERVER_ERRORS' | 'FAILURES'

/** A reply with what is needed to read and judge it. */
export interface ProviderReply extends Reply {
  provider: string
  unbilled: Unbilled
  /** Downloads a link of the reply into a spool file and returns its path. Throws DownloadError. */
  fetchLink: (url: string) => Promise<string>
}

/** An account at an images API. */
export interface ImagesClient {
  /** Sends a message that may cost money. Throws ProviderError `unreached` or `lost`. */
  submit(message: Message, call: Call): Promise<ProviderReply>
  /** Sends a message that is free of charge. Throws as `submit` does. */
  ask(message: Message, call: Call): Promise<ProviderReply>
  /** Replaces the secrets of this account in a text. */
  hide(text: string): string
  close(): Promise<void>
}

export interface ImagesClientOptions {
  name: string
  baseUrl: string
  timeoutMs: number
  /** Removed from every text. */
  secrets: readonly string[]
  unbilled: Unbilled
}

const MAX_IMAGE_BYTES = 128 * 1024 * 1024

/** Opens no socket before the first call. */
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
    hide: (text) => upstream.hide(text),
    async close() {
      await Promise.all([upstream.close(), downloader.close()])
    },
  }
}

export function isSuccess({ status }: Pick<Reply, 'status'>): boolean {
  return status >= 200 && status < 300
}

/** The reply with the request id that its body names, which is also reported to the call; unchanged when it names none. */
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
