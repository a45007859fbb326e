import { z } from 'zod'
import { ProviderError } from '../error.ts'
import type { Reply } from '../wire/http.ts'
import { collect, isSuccess, readJson } from '../images-api/json-reply.ts'
import { MalformedPicture, MalformedReply } from '../wire/malformed.ts'
import { chosen, hasPicture, picture, receive, toResolved, type FetchLink } from '../images-api/picture.ts'
import { toUsage } from '../images-api/usage.ts'
import type { Answer, Call, Callback } from '../provider.ts'
import { toMalformed, type ReplyFacts } from '../images-api/verdicts.ts'
import { orderRefused, questionRefused, saidIn, taskFailed } from './failure.ts'

/** What the reading of a reply needs besides the reply. */
export interface Reading {
  facts: ReplyFacts
  fetchLink: FetchLink
  checkAfterMs: number
}

const id = z.string().min(1).nullish().catch(null)
const pictures = z.array(picture)
const nested = z.object({ ...chosen.shape, data: pictures, usage: z.unknown().optional() })
// One page nests the images reply in `data`, another spreads it beside `success`.
const result = z.object({
  ...chosen.shape,
  task_id: id,
  trace_id: id,
  data: z.union([pictures, nested]).nullish().catch(null),
  usage: z.unknown().optional(),
})

/** The reply to an order: pictures, or the id of a task. Throws ProviderError. */
export async function readPlaced(reply: Reply, call: Call, reading: Reading): Promise<Answer> {
  let { facts } = reading
  try {
    const json = await readJson(reply, call)
    facts = traced(json, facts, call)
    const said = saidIn(json)
    if (said || !isSuccess(reply)) throw orderRefused(said, facts)
    const found = picturesIn(json)
    if (found) {
      const images = await receive(found.pictures, facts.provider, reading.fetchLink)
      return { state: 'DONE', images, usage: toUsage(found.usage), resolved: toResolved(found) }
    }
    const remoteId = result.safeParse(json).data?.task_id
    if (remoteId) return { state: 'ACCEPTED', remoteId, checkAfterMs: reading.checkAfterMs }
    throw new MalformedReply('has neither an image nor the id of a task')
  } catch (error) {
    throw error instanceof MalformedReply ? toMalformed(error, 'order', facts) : error
  }
}

const record = z.object({ id, trace_id: id, response: z.unknown().optional() })

/**
 * The reply to a question about a task: a record without a status, whose `response` tells by being there. Throws
 * ProviderError; `rejected` and `broken` are about the task.
 */
export async function readRecord(
  reply: Reply,
  remoteId: string,
  call: Call,
  reading: Reading,
): Promise<Answer> {
  const { checkAfterMs } = reading
  let { facts } = reading
  try {
    const json = await readJson(reply, call)
    const said = saidIn(json)
    if (said || !isSuccess(reply)) throw questionRefused(said, facts)
    const parsed = record.safeParse(json)
    if (!parsed.success) throw new MalformedReply('has no record of a task')
    // An unknown id is answered with an empty record, and so is one that is not on record yet.
    if (!parsed.data.id) return { state: 'MISSING', checkAfterMs }
    if (parsed.data.id !== remoteId) throw new MalformedReply('is about another task')
    const { response } = parsed.data
    facts = traced(parsed.data.trace_id ? json : response, facts, call)
    // `finished_at` may be set before the response is: there is nothing to see yet.
    if (response === null || response === undefined) return { state: 'PENDING', progress: null, checkAfterMs }
    return await toAnswer(response, facts, reading)
  } catch (error) {
    if (error instanceof MalformedPicture) throw toMalformed(error, 'order', facts)
    throw error instanceof MalformedReply ? toMalformed(error, 'question', facts) : error
  }
}

/**
 * The reply to a question about a task by the id that we gave it; undefined when there is none on record, or not yet.
 * Throws ProviderError, which says nothing about the task.
 */
export async function readFound(
  reply: Reply,
  clientRef: string,
  call: Call,
  { facts }: Reading,
): Promise<{ remoteId: string } | undefined> {
  try {
    const json = await readJson(reply, call)
    const said = saidIn(json)
    if (said || !isSuccess(reply)) throw questionRefused(said, facts)
    const parsed = record.safeParse(json)
    if (!parsed.success) throw new MalformedReply('has no record of a task')
    if (!parsed.data.id) return undefined
    // Whose it is must be said: a record that is another's would bring another's picture.
    if (parsed.data.trace_id !== clientRef) throw new MalformedReply('is about another task')
    return { remoteId: parsed.data.id }
  } catch (error) {
    throw error instanceof MalformedReply ? toMalformed(error, 'question', facts) : error
  }
}

/** Reads what a callback is about. Its body is believed in nothing else. Throws ProviderError `broken`. */
export function readCallback(body: string, provider: string): Callback {
  const parsed = result.safeParse(parseOrUndefined(body))
  if (parsed.success) return { remoteId: parsed.data.task_id ?? null }
  throw new ProviderError({
    kind: 'broken',
    code: 'PROVIDER_BROKEN',
    message: `${provider} called back with something that is not a JSON object.`,
    charged: 'UNKNOWN',
  })
}

async function toAnswer(response: unknown, facts: ReplyFacts, { fetchLink }: Reading): Promise<Answer> {
  const said = saidIn(response)
  if (said) throw taskFailed(said, facts)
  const found = picturesIn(response)
  if (!found) throw taskFailed({ code: null, message: 'The task is finished, but has no image' }, facts)
  const images = await collect(found.pictures, facts.provider, fetchLink)
  return { state: 'DONE', images, usage: toUsage(found.usage), resolved: toResolved(found) }
}

/** The pictures with what was said beside them; undefined when there is none. */
function picturesIn(json: unknown) {
  const outer = result.safeParse(json).data
  const inner = Array.isArray(outer?.data) ? { ...outer, data: outer.data } : outer?.data
  const found = inner?.data.filter(hasPicture) ?? []
  if (!outer || !inner || found.length === 0) return undefined
  return { ...inner, usage: inner.usage ?? outer.usage, pictures: found }
}

/** Notes the upstream's `trace_id`, which its support asks for. */
function traced(json: unknown, facts: ReplyFacts, call: Pick<Call, 'onWire'>): ReplyFacts {
  const trace = facts.clean(result.safeParse(json).data?.trace_id ?? '').slice(0, 200)
  if (!trace) return facts
  call.onWire('BODY_DONE', { providerRequestId: trace })
  return { ...facts, requestId: trace }
}

function parseOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
