import { z } from 'zod'
import { ProviderError, VERDICTS } from '../error.ts'
import { UNKNOWN_USAGE, type Call, type CallResult, type ProviderRequest } from '../provider.ts'
import type { SpillLimits } from '../wire/json-spill.ts'
import { MalformedReply } from '../wire/malformed.ts'
import { peek } from '../wire/peek.ts'
import { readEvents, type ServerSentEvent } from '../wire/sse.ts'
import { isSuccess, readBody, withRequestId, type ProviderReply } from './client.ts'
import { asFailure, type ReplyTo } from './failure.ts'
import { findImages, readImages, toDone, type FoundImages, type ImageSearch } from './images.ts'
import { errorIn, statusFailure, streamFailure } from './upstream-error.ts'
import { addUsages } from './usage.ts'
import { wordsOf } from './words.ts'

/** What a server puts around its replies. */
export interface ReplyEnvelope extends Pick<ImageSearch, 'costIn'> {
  /** Returns the content. Throws ProviderError for a failure. */
  unwrap?: (json: unknown, reply: ProviderReply) => unknown
  requestIdIn?: ((json: unknown) => string | null | undefined) | undefined
}

type Done = Extract<CallResult, { state: 'DONE' }>

export interface ReplyReader<Result> extends Pick<ReplyEnvelope, 'requestIdIn' | 'costIn'> {
  /** For a body without result. */
  read: (json: unknown, reply: ProviderReply) => Result
  /** Images in the body are the result; default true. */
  hasResult?: (json: unknown) => boolean
  limits?: SpillLimits
}

/** Images are the result, whatever else a body has. Throws ProviderError. */
export async function readReply<Result>(
  replyTo: ReplyTo,
  received: ProviderReply,
  call: Call,
  { read, requestIdIn, costIn, hasResult = () => true, limits }: ReplyReader<Result>,
): Promise<Done | Result> {
  let reply = received
  try {
    const { json, text, problem } = await readBody(reply, call, limits)
    const whole = problem === undefined ? json : undefined
    reply = withRequestId(
      { ...reply, said: wordsOf(whole, text, !isSuccess(reply)) },
      requestIdIn?.(json),
      call,
    )
    const search = { newFile: () => call.newFile(), limits, costIn }
    const done = hasResult(json) ? await readImages(json, reply, search) : undefined
    if (done) return done
    // A failure's status says enough.
    if (problem !== undefined && isSuccess(reply)) throw problem
    return read(whole, reply)
  } catch (error) {
    throw asFailure(error, replyTo, reply)
  }
}

/** As JSON, stream or image. Throws ProviderError. */
export async function readResult(
  received: ProviderReply,
  request: ProviderRequest,
  call: Call,
  { unwrap = (json) => json, requestIdIn, costIn }: ReplyEnvelope = {},
): Promise<CallResult> {
  const { first, body } = await peek(withoutBlank(received.body), START_BYTES).catch((error: unknown) => {
    throw isSuccess(received) ? error : statusFailure(undefined, received)
  })
  const reply = { ...received, body }
  // Content types are unreliable.
  if (STREAM_START.test(first.toString('latin1'))) return readStream(request, call, reply, costIn)
  return readReply<never>('SUBMIT', reply, call, {
    requestIdIn,
    costIn,
    read(json, answer) {
      const content = unwrap(json, answer)
      if (!isSuccess(answer)) throw statusFailure(content, answer)
      const error = errorIn(content)
      // Work may have been done.
      if (error) throw streamFailure(error, answer, 'IMAGES')
      throw new MalformedReply('has no image')
    },
  })
}

/** JSON does not begin so. */
const STREAM_START = /^(?:data|event|id|retry)?:/
/** The longest field name and its colon. */
const START_BYTES = 6
const MAX_BLANK_BYTES = 4 * 1024 * 1024

/** Without a leading byte order mark and white space, which would hide it. */
async function* withoutBlank(body: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let blank: number | undefined = 0
  for await (const chunk of body) {
    if (blank === undefined) {
      yield chunk
      continue
    }
    const length = /^(?:\u00ef\u00bb\u00bf)?\s*/.exec(chunk.toString('latin1'))![0].length
    blank += length
    if (blank > MAX_BLANK_BYTES) return
    if (length === chunk.length) continue
    blank = undefined
    yield chunk.subarray(length)
  }
}

const frame = z.object({
  type: z.string().min(1).optional().catch(undefined),
  partial_image_index: z.int().nonnegative().optional().catch(undefined),
})

/** More than an upstream sends that keeps to the request. Others are dropped: a stream may have millions. */
const MAX_PENDING_PARTIALS = 16

/** Stops after the requested images. Any event with an image not declared partial is a result. */
async function readStream(
  request: ProviderRequest,
  call: Call,
  reply: ProviderReply,
  costIn: ReplyEnvelope['costIn'],
): Promise<CallResult> {
  const finished: FoundImages[] = []
  let partials = 0
  let pending = 0
  let isEmpty = false
  const search = { newFile: () => call.newFile(), isEntry: true, costIn }

  // A finished image that has arrived must not wait for previews to be recorded: the call's time could end meanwhile.
  function passOn(file: string, index: number): void {
    if (pending === MAX_PENDING_PARTIALS) return
    pending += 1
    const recorded = () => void (pending -= 1)
    call.onPartial(file, index).then(recorded, recorded)
  }

  async function take({ event, data, isCut }: ServerSentEvent): Promise<void> {
    const { type = event, partial_image_index } = frame.safeParse(data).data ?? {}
    // What follows the cut may declare its image partial.
    if (isCut && !type.endsWith('.completed')) return
    const isFinal = type.endsWith('.completed')
    const isPartial = /partial/i.test(type) || (!isFinal && partial_image_index !== undefined)
    const found = await findImages(data, search)
    if (!isPartial && found) return void finished.push(found)
    isEmpty ||= isFinal
    const [preview] = found?.entries ?? []
    if (!preview || !('file' in preview)) return
    const index = partial_image_index ?? partials
    partials += 1
    passOn(preview.file, index)
    call.onProgress(Math.min(1, (index + 1) / (request.partialImages + 1)))
  }

  const count = () => finished.reduce((sum, { entries }) => sum + entries.length, 0)
  let usage = UNKNOWN_USAGE
  try {
    for await (const received of readEvents(reply.body, search.newFile)) {
      const before = count()
      await take(received)
      const error = count() > before || received.isCut ? undefined : errorOf(received)
      if (error && !isSuccess(reply)) throw statusFailure({ error }, reply)
      if (error) throw streamFailure(error, reply, partials + count() > 0 ? 'IMAGES' : 'NOTHING')
      if (count() >= request.n) break
    }
    usage = addUsages(finished.map((found) => found.usage))
  } catch (error) {
    // Finished images are paid for: they are kept. The rest's usage is unknown.
    const isUpstreams = error instanceof ProviderError || error instanceof MalformedReply
    if (finished.length === 0 || !isUpstreams) throw asFailure(error, 'SUBMIT', reply)
  }
  const [first] = finished
  if (first) {
    const entries = finished.flatMap((found) => found.entries)
    // Costs of several events may each be of an image or of the whole call.
    const costMicros = finished.length === 1 ? first.costMicros : undefined
    return toDone({ entries, usage, resolved: first.resolved, costMicros }, reply)
  }
  if (!isSuccess(reply)) throw statusFailure(undefined, reply)
  if (isEmpty)
    throw asFailure(new MalformedReply('has a finished image without bytes or link'), 'SUBMIT', reply)
  const message = `${reply.provider} ended its stream without a finished image. Whether one was made is unknown.`
  const { status: httpStatus, requestId: providerRequestId } = reply
  throw new ProviderError({ ...VERDICTS.LOST, message, httpStatus, providerRequestId })
}

function errorOf({ event: name, data }: ServerSentEvent) {
  return errorIn(data) ?? (name === 'error' ? errorIn({ error: data }) : undefined)
}
