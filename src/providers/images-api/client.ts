import { forAccount } from '../models/offers.ts'
import type { Call, ChargePolicy, Offer, Provider, ProviderTraits, ResultSource } from '../provider.ts'
import { replyRule } from '../wire/address.ts'
import { createDownloader } from '../wire/download.ts'
import { createUpstream, type Message, type Reply } from '../wire/http.ts'
import {
  createJsonSpill,
  DEFAULT_LIMITS,
  Spilled,
  spillJson,
  withoutMark,
  type SpillLimits,
} from '../wire/json-spill.ts'
import { isImage, peek, SIGNATURE_BYTES } from '../wire/peek.ts'
import { createSpoolFile } from '../wire/spool-file.ts'

/** What the operator declares. */
export type Unbilled = 'NOTHING' | 'SERVER_ERRORS' | 'FAILURES'

export interface ProviderReply extends Reply {
  provider: string
  unbilled: Unbilled
  /** The upstream's words. */
  said: string
}

export type ImagesClient = ReturnType<typeof createImagesClient>

type FreeCall = Pick<Call, 'signal' | 'onWire' | 'newFile' | 'traceparent'>

interface ImagesClientOptions extends Pick<Provider, 'timeoutMs' | 'concurrency'> {
  charges?: ChargePolicy | undefined
  extra?: readonly string[] | undefined
  svgPrices?: Offer['svgPrices'] | undefined
  baseUrl: string
  resultTtlMs: number
  unbilledServerErrors?: boolean
  unbilledFailures?: boolean
}

const MAX_IMAGE_BYTES = 128 * 1024 * 1024

export function createImagesClient(name: string, options: ImagesClientOptions, secrets: readonly string[]) {
  const { baseUrl, timeoutMs, concurrency, resultTtlMs, charges } = options
  const { unbilledServerErrors, unbilledFailures } = options
  const unbilled = unbilledFailures ? 'FAILURES' : unbilledServerErrors ? 'SERVER_ERRORS' : 'NOTHING'
  const upstream = createUpstream({ name, baseUrl, timeoutMs, secrets })
  const downloader = createDownloader({ rule: replyRule(baseUrl), maxBytes: MAX_IMAGE_BYTES })

  const toProviderReply = (reply: Reply): ProviderReply => ({ ...reply, provider: name, unbilled, said: '' })
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
    ask: async (message: Message, call: FreeCall) => toProviderReply(await upstream.send(message, call)),
    provider: ({
      modes,
      recovery,
      ...own
    }: Pick<Provider, 'dialect' | 'offers'> & Omit<ProviderTraits, 'failureCharge'>) => ({
      ...own,
      offers: forAccount(own.offers, options),
      name,
      traits: { modes, recovery, failureCharge: unbilled === 'NOTHING' ? 'UNKNOWN' : 'NO' } as const,
      concurrency,
      timeoutMs,
      ...(charges && { charges }),
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

/** As far as readable. */
export interface ReplyBody {
  /** Images are in spool files. With a `problem`, what was complete: only its images count. */
  json: unknown
  /** A MalformedReply, or ProviderError `lost` if a success breaks off. */
  problem?: unknown
  /** If not JSON. */
  text: string
}

/** A body that is an image becomes a list of it. */
export async function readBody(
  reply: Reply,
  { newFile }: Pick<Call, 'newFile'>,
  limits: SpillLimits = DEFAULT_LIMITS,
): Promise<ReplyBody> {
  const spill = createJsonSpill(newFile, limits)
  try {
    const { first, body } = await peek(reply.body, SIGNATURE_BYTES)
    // An XML declaration alone may begin an error.
    if (isImage(first) || isSvgType(reply))
      return { json: [{ b64_json: await spillImage(body, newFile(), limits) }], text: '' }
    const { value: json, problem } = await spillJson(body, newFile, limits, spill)
    return problem === undefined ? { json, text: '' } : { json, problem, text: spill.text() }
  } catch (problem) {
    return { json: undefined, problem, text: '' }
  }
}

function isSvgType({ contentType }: Pick<Reply, 'contentType'>): boolean {
  return /^image\/svg\+xml\b/i.test(contentType)
}

async function spillImage(
  body: AsyncIterable<Buffer>,
  path: string,
  { maxImageBytes }: SpillLimits,
): Promise<Spilled> {
  const file = createSpoolFile(path, maxImageBytes)
  try {
    for await (const chunk of body) await file.write(chunk)
    await file.end()
    return new Spilled(path, file.byteSize)
  } finally {
    await file.abandon()
  }
}

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(withoutMark(text))
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
