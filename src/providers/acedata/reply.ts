import { z } from 'zod'
import { ProviderError, VERDICTS, type FailureVerdict } from '../error.ts'
import { isSuccess, parseJson, readJson, withRequestId, type ProviderReply } from '../images-api/client.ts'
import {
  asFailure,
  NO_WORDS,
  ofTask,
  replyFailure,
  toProviderError,
  verdictOfStatus,
  type ReplyTo,
  type UpstreamWords,
} from '../images-api/failure.ts'
import { readImages } from '../images-api/images.ts'
import { readReply } from '../images-api/reply.ts'
import { wordsIn } from '../images-api/upstream-error.ts'
import type { Call, Callback, CallResult } from '../provider.ts'
import { MalformedReply } from '../wire/malformed.ts'

const id = z.string().min(1).nullish().catch(null)
const ids = z.object({ task_id: id, trace_id: id })

export function readSubmitted(
  received: ProviderReply,
  call: Call,
  checkAfterMs: number,
): Promise<CallResult> {
  return readReply('SUBMIT', received, call, {
    requestIdIn: (json) => ids.safeParse(json).data?.trace_id,
    async read(json, reply) {
      checkReply('SUBMIT', json, reply)
      const done = readImages(imagesIn(json))
      if (done) return done
      const remoteId = ids.safeParse(json).data?.task_id
      if (remoteId) return { state: 'ACCEPTED', remoteId, checkAfterMs }
      throw new MalformedReply('has neither an image nor the id of a task')
    },
  })
}

function checkReply(replyTo: ReplyTo, json: unknown, reply: ProviderReply): void {
  const words = errorWordsIn(json)
  if (words || !isSuccess(reply)) throw replyFailure(replyTo, verdictOn(words, reply), words, reply)
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
    const task = recordIn(await readJson(reply, call), reply)
    if (!task.id) return { state: 'MISSING', checkAfterMs }
    if (task.id !== remoteId) throw new MalformedReply('is about another task')
    const { response } = task
    reply = withRequestId(reply, task.trace_id ?? ids.safeParse(response).data?.trace_id, call)
    // A record has no status: a response means the end. `finished_at` may be set before it.
    if (response === null || response === undefined) return { state: 'PENDING', progress: null, checkAfterMs }
    const words = errorWordsIn(response)
    if (words) throw taskFailed(words, reply)
    const done = readImages(imagesIn(response))
    if (!done) throw taskFailed({ code: null, message: 'The task is finished, but has no image' }, reply)
    return done
  } catch (error) {
    throw asFailure(error, 'CHECK', reply)
  }
}

/** Undefined when there is no record, or none yet. Throws ProviderError. */
export function readFound(
  received: ProviderReply,
  clientRef: string,
  call: Call,
): Promise<{ remoteId: string } | undefined> {
  return readReply('CHECK', received, call, {
    read(json, reply) {
      const task = recordIn(json, reply)
      if (!task.id) return undefined
      if (task.trace_id !== clientRef) throw new MalformedReply('is about another task')
      return { remoteId: task.id }
    },
  })
}

export function readCallback(body: string, provider: string): Callback {
  const parsed = ids.safeParse(parseJson(body))
  if (parsed.success) return { remoteId: parsed.data.task_id ?? null }
  const message = `${provider} sent a callback whose body is not a JSON object.`
  throw new ProviderError({ ...VERDICTS.BROKEN, message })
}

// Of an unknown id, or one not stored yet, the record is empty.
function recordIn(json: unknown, reply: ProviderReply): z.output<typeof record> {
  checkReply('CHECK', json, reply)
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

function errorWordsIn(json: unknown): UpstreamWords | undefined {
  const hasFailed = typeof json === 'object' && json !== null && 'success' in json && json.success === false
  return wordsIn(json) ?? (hasFailed ? NO_WORDS : undefined)
}

function taskFailed(words: UpstreamWords, reply: ProviderReply): ProviderError {
  const verdict = ofTask(CODES.get(words.code ?? '') ?? VERDICTS.BROKEN)
  // A timeout on record is the model's: the task has ended.
  const code = verdict.code === 'OUTCOME_UNKNOWN' ? 'PROVIDER_BROKEN' : verdict.code
  return toProviderError({ ...verdict, code }, words, reply)
}

/** `words` is undefined when the body is not one of this API. */
function verdictOn(words: UpstreamWords | undefined, reply: ProviderReply): FailureVerdict {
  const known = CODES.get(words?.code ?? '')
  if (known) return known
  return reply.status >= 300 ? verdictOfStatus(reply, words ? 'KNOWN' : 'FOREIGN') : VERDICTS.BROKEN
}

// docs.acedata.cloud, "Authentication" and "Responses". Failed calls are "generally" not billed.
const CODES: ReadonlyMap<string, FailureVerdict> = new Map([
  ['bad_request', VERDICTS.REJECTED],
  ['no_token', VERDICTS.MISCONFIGURED],
  ['api_not_implemented', VERDICTS.MISCONFIGURED],
  ['invalid_token', VERDICTS.MISCONFIGURED],
  ['token_expired', VERDICTS.MISCONFIGURED],
  ['token_mismatched', VERDICTS.MISCONFIGURED],
  ['disabled', VERDICTS.MISCONFIGURED],
  ['no_api', VERDICTS.MISCONFIGURED],
  ['used_up', VERDICTS.QUOTA],
  ['forbidden', VERDICTS.BLOCKED],
  ['too_many_requests', VERDICTS.BUSY],
  ['api_error', VERDICTS.BROKEN],
  ['timeout', VERDICTS.LOST],
])
