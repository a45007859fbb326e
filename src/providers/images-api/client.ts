import type { Call, Provider, ProviderTraits, ResultSource } from '../provider.ts'
import { replyRule } from '../wire/address.ts'
import { createDownloader } from '../wire/download.ts'
import { createUpstream, readText, type Message, type Reply } from '../wire/http.ts'
import { spillJson, type SpillLimits } from '../wire/json-spill.ts'

/** What the operator declares to be never billed. */
export type Unbilled = 'NOTHING' | 'SERVER_ERRORS' | 'FAILURES'

export interface ProviderReply extends Reply {
  provider: string
  unbilled: Unbilled
}

interface ImagesClientOptions extends Pick<Provider, 'timeoutMs' | 'concurrency'> {
  baseUrl: string
  resultTtlMs: number
  unbilledServerErrors?: boolean
  unbilledFailures?: boolean
}

const MAX_IMAGE_BYTES = 128 * 1024 * 1024

export function createImagesClient(name: string, options: ImagesClientOptions, secrets: readonly string[]) {
  const { baseUrl, timeoutMs, concurrency, resultTtlMs, unbilledServerErrors, unbilledFailures } = options
  const unbilled = unbilledFailures ? 'FAILURES' : unbilledServerErrors ? 'SERVER_ERRORS' : 'NOTHING'
  const upstream = createUpstream({ name, baseUrl, timeoutMs, secrets })
  const downloader = createDownloader({ rule: replyRule(baseUrl), maxBytes: MAX_IMAGE_BYTES })

  const toProviderReply = (reply: Reply): ProviderReply => ({ ...reply, provider: name, unbilled })
  const results: ResultSource = {
    ttlMs: resultTtlMs,
    async download(url, file, signal) {
      await downloader.download(url, file, signal)
    },
  }

  return {
    /** May cost money. Throws ProviderError. */
    submit: async (message: Message, call: Call) => toProviderReply(await upstream.submit(message, call)),
    /** Free of charge. Throws ProviderError. */
    ask: async (message: Message, call: Call) => toProviderReply(await upstream.send(message, call)),
    provider: ({
      modes,
      recovery,
      ...own
    }: Pick<Provider, 'dialect' | 'offers'> & Omit<ProviderTraits, 'failureCharge'>) => ({
      ...own,
      name,
      traits: { modes, recovery, failureCharge: unbilled === 'NOTHING' ? 'UNKNOWN' : 'NO' } as const,
      concurrency,
      timeoutMs,
      results,
      async close() {
        await Promise.all([upstream.close(), downloader.close()])
      },
    }),
    redact: (text: string) => upstream.redact(text),
  }
}

export function isSuccess({ status }: Pick<Reply, 'status'>): boolean {
  return status >= 200 && status < 300
}

/** Images go to spool files. Not JSON: undefined; of a success, throws MalformedReply. */
export async function readJson(
  reply: Reply,
  call: Pick<Call, 'newFile'>,
  limits?: SpillLimits,
): Promise<unknown> {
  if (isSuccess(reply)) return spillJson(reply.body, () => call.newFile(), limits)
  return parseJson(await readText(reply.body))
}

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Reports a request id from the body. */
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
