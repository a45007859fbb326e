import { z } from 'zod'
import type { Usage } from '../../domain.ts'
import { ProviderError, VERDICTS } from '../error.ts'
import type { Call, CallResult, ProviderRequest } from '../provider.ts'
import { spillJson, type SpillLimits } from '../wire/json-spill.ts'
import { MalformedReply } from '../wire/malformed.ts'
import { readEvents, type ServerSentEvent } from '../wire/sse.ts'
import { isSuccess, readJson, withRequestId, type ProviderReply } from './client.ts'
import { asFailure, type ReplyTo } from './failure.ts'
import { hasImage, imageEntry, readImages, reportedSettings, toDone } from './images.ts'
import { errorIn, statusFailure, streamFailure } from './upstream-error.ts'
import { addUsages, toUsage } from './usage.ts'

/** Takes JSON out of an envelope. Throws ProviderError for a failure in it. */
export type Unwrap = (json: unknown, reply: ProviderReply, call: Pick<Call, 'onWire'>) => unknown

export async function readReply<Result>(
  replyTo: ReplyTo,
  received: ProviderReply,
  call: Call,
  options: {
    read: (json: unknown, reply: ProviderReply) => Promise<Result> | Result
    requestIdIn?: (json: unknown) => string | null | undefined
    limits?: SpillLimits
  },
): Promise<Result> {
  let reply = received
  try {
    const json = await readJson(reply, call, options.limits)
    reply = withRequestId(reply, options.requestIdIn?.(json), call)
    return await options.read(json, reply)
  } catch (error) {
    throw asFailure(error, replyTo, reply)
  }
}

const withoutEnvelope: Unwrap = (json) => json

/** From JSON or a stream. Throws ProviderError. */
export async function readResult(
  reply: ProviderReply,
  request: ProviderRequest,
  call: Call,
  unwrap = withoutEnvelope,
): Promise<CallResult> {
  if (!isSuccess(reply)) throw statusFailure(unwrap(await readJson(reply, call), reply, call), reply)
  try {
    const { first, body } = await peek(reply.body)
    // The content type is unreliable.
    if (STREAM_STARTS.has(first)) return await readStream(body, request, call, reply)
    const json = unwrap(await spillJson(body, () => call.newFile()), reply, call)
    const error = errorIn(json)
    // Despite the error, work may have been done.
    if (error) throw streamFailure(error, reply, 'IMAGES')
    const done = readImages(json)
    if (!done) throw new MalformedReply('has no image')
    return done
  } catch (error) {
    throw asFailure(error, 'SUBMIT', reply)
  }
}

const STREAM_STARTS = new Set(['d', 'e', 'i', 'r', ':'])

async function peek(body: AsyncIterable<Buffer>): Promise<{ first: string; body: AsyncIterable<Buffer> }> {
  const chunks = body[Symbol.asyncIterator]()
  const held: Buffer[] = []
  let first = ''
  while (first === '') {
    const next = await chunks.next()
    if (next.done) break
    held.push(next.value)
    const text = next.value.toString('latin1').replace(/^\u00ef\u00bb\u00bf/, '')
    first = text.trimStart().charAt(0)
  }
  return { first, body: resume(held, chunks) }
}

async function* resume(held: Buffer[], chunks: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  try {
    yield* held.splice(0)
    for (let next = await chunks.next(); !next.done; next = await chunks.next()) yield next.value
  } finally {
    await chunks.return?.()
  }
}

const event = z.object({
  ...imageEntry.shape,
  ...reportedSettings.shape,
  type: z.string().optional().catch(undefined),
  partial_image_index: z.int().nonnegative().optional().catch(undefined),
  usage: z.unknown().optional(),
})

type FinishedEvent = z.output<typeof event>

/** Stops after the requested number of images. Throws ProviderError or MalformedReply. */
async function readStream(
  body: AsyncIterable<Buffer>,
  request: ProviderRequest,
  call: Call,
  reply: ProviderReply,
): Promise<CallResult> {
  const finished: FinishedEvent[] = []
  let partials = 0

  async function take(data: FinishedEvent, type: string): Promise<void> {
    if (type.endsWith('.completed')) {
      if (!hasImage(data)) throw new MalformedReply('has a finished image without bytes or link')
      finished.push(data)
      return
    }
    if (!type.endsWith('.partial_image') || !data.b64_json) return
    const index = data.partial_image_index ?? partials
    partials += 1
    await call.onPartial(data.b64_json.file, index)
    call.onProgress(Math.min(1, (index + 1) / (request.partialImages + 1)))
  }

  let usages: Usage[] = []
  try {
    for await (const received of readEvents(body, () => call.newFile())) {
      const error = errorOf(received)
      if (error) throw streamFailure(error, reply, partials + finished.length > 0 ? 'IMAGES' : 'NOTHING')
      const parsed = event.safeParse(received.data)
      if (parsed.success) await take(parsed.data, parsed.data.type ?? received.event)
      if (finished.length === request.n) break
    }
    usages = finished.map(({ usage }) => toUsage(usage))
  } catch (error) {
    // Finished images are paid for and kept. The usage of the rest is unknown.
    const isUpstreams = error instanceof ProviderError || error instanceof MalformedReply
    if (finished.length === 0 || !isUpstreams) throw error
  }
  const [first] = finished
  if (!first) {
    const message = `${reply.provider} ended its stream without a finished image. Whether one was made is unknown.`
    const { status: httpStatus, requestId: providerRequestId } = reply
    throw new ProviderError({ ...VERDICTS.LOST, message, httpStatus, providerRequestId })
  }
  return toDone({ entries: finished, usage: addUsages(usages), reported: first })
}

function errorOf({ event: name, data }: ServerSentEvent) {
  return errorIn(data) ?? (name === 'error' ? errorIn({ error: data ?? '' }) : undefined)
}
