import { z } from 'zod'
import { ProviderError, VERDICTS } from '../error.ts'
import { isSuccess, parseJson, readJson, withRequestId, type ProviderReply } from '../images-api/client.ts'
import { asFailure, replyFailure } from '../images-api/failure.ts'
import { readImages } from '../images-api/images.ts'
import type { CallResult, Call, Callback } from '../provider.ts'
import { MalformedReply } from '../wire/malformed.ts'
import { errorWordsIn, taskFailed, verdictOn } from './failure.ts'

const id = z.string().min(1).nullish().catch(null)
const ids = z.object({ task_id: id, trace_id: id })

/** Throws ProviderError. */
export async function readSubmitted(
  received: ProviderReply,
  call: Call,
  checkAfterMs: number,
): Promise<CallResult> {
  let reply = received
  try {
    const json = await readJson(reply, call)
    reply = withRequestId(reply, ids.safeParse(json).data?.trace_id, call)
    const words = errorWordsIn(json)
    if (words || !isSuccess(reply)) throw replyFailure('SUBMIT', verdictOn(words, reply), words, reply)
    const done = await readImages(imagesIn(json), 'SUBMIT', reply)
    if (done) return done
    const remoteId = ids.safeParse(json).data?.task_id
    if (remoteId) return { state: 'ACCEPTED', remoteId, checkAfterMs }
    throw new MalformedReply('has neither an image nor the id of a task')
  } catch (error) {
    throw asFailure(error, 'SUBMIT', reply)
  }
}

const record = z.object({ id, trace_id: id, response: z.unknown().optional() })

/** Throws ProviderError; `rejected` and `broken` are about the task. */
export async function readTask(
  received: ProviderReply,
  remoteId: string,
  call: Call,
  checkAfterMs: number,
): Promise<CallResult> {
  let reply = received
  try {
    const task = await readRecord(reply, call)
    if (!task.id) return { state: 'MISSING', checkAfterMs }
    if (task.id !== remoteId) throw new MalformedReply('is about another task')
    const { response } = task
    reply = withRequestId(reply, task.trace_id ?? ids.safeParse(response).data?.trace_id, call)
    // A record has no status: a response means the end. `finished_at` may be set before it.
    if (response === null || response === undefined) return { state: 'PENDING', progress: null, checkAfterMs }
    const words = errorWordsIn(response)
    if (words) throw taskFailed(words, reply)
    const done = await readImages(imagesIn(response), 'CHECK', reply)
    if (!done) throw taskFailed({ code: null, message: 'The task is finished, but has no image' }, reply)
    return done
  } catch (error) {
    throw asFailure(error, 'CHECK', reply)
  }
}

/** Undefined when there is no record, or none yet. Throws ProviderError. */
export async function readFound(
  reply: ProviderReply,
  clientRef: string,
  call: Call,
): Promise<{ remoteId: string } | undefined> {
  try {
    const task = await readRecord(reply, call)
    if (!task.id) return undefined
    // A record without our id may be another request's.
    if (task.trace_id !== clientRef) throw new MalformedReply('is about another task')
    return { remoteId: task.id }
  } catch (error) {
    throw asFailure(error, 'CHECK', reply)
  }
}

/** Throws ProviderError `broken`. */
export function readCallback(body: string, provider: string): Callback {
  const parsed = ids.safeParse(parseJson(body))
  if (parsed.success) return { remoteId: parsed.data.task_id ?? null }
  const message = `${provider} sent a callback whose body is not a JSON object.`
  throw new ProviderError({ ...VERDICTS.BROKEN, message })
}

// The record of an unknown id is empty, and so is one that is not stored yet.
async function readRecord(reply: ProviderReply, call: Call): Promise<z.output<typeof record>> {
  const json = await readJson(reply, call)
  const words = errorWordsIn(json)
  if (words || !isSuccess(reply)) throw replyFailure('CHECK', verdictOn(words, reply), words, reply)
  const parsed = record.safeParse(json)
  if (!parsed.success) throw new MalformedReply('has no record of a task')
  return parsed.data
}

const nested = z.object({ data: z.looseObject({}), usage: z.unknown().optional() })

/** One page nests the images response in `data`, another spreads it beside `success`. */
function imagesIn(json: unknown): unknown {
  const parsed = nested.safeParse(json)
  if (!parsed.success) return json
  const { data, usage } = parsed.data
  return { ...data, usage: data['usage'] ?? usage }
}
