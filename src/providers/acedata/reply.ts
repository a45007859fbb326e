import { z } from 'zod'
import { ProviderError, VERDICTS, type FailureVerdict } from '../error.ts'
import { isSuccess, parseJson, type ProviderReply } from '../images-api/client.ts'
import {
  asFailure,
  endedWithoutImage,
  NO_WORDS,
  ofTask,
  replyFailure,
  toProviderError,
  verdictOfStatus,
  type ReplyTo,
  type UpstreamWords,
} from '../images-api/failure.ts'
import { readReply } from '../images-api/reply.ts'
import { idField, isAnotherTask } from '../images-api/task.ts'
import { wordsIn } from '../images-api/upstream-error.ts'
import type { Call, Callback, CallResult } from '../provider.ts'
import { MalformedReply } from '../wire/malformed.ts'

const ids = z.object({ task_id: idField, trace_id: idField }).catch({ task_id: null, trace_id: null })
const record = z.object({ id: idField, trace_id: idField, response: z.unknown().optional() })

export function readSubmitted(
  received: ProviderReply,
  call: Call,
  checkAfterMs: number,
): Promise<CallResult> {
  return readReply<CallResult>('SUBMIT', received, call, {
    requestIdIn: (json) => ids.parse(json).trace_id,
    read(json, reply) {
      checkReply('SUBMIT', json, reply)
      const remoteId = ids.parse(json).task_id
      if (remoteId) return { state: 'ACCEPTED', remoteId, checkAfterMs }
      throw new MalformedReply('has neither an image nor the id of a task')
    },
  })
}

function checkReply(replyTo: ReplyTo, json: unknown, reply: ProviderReply): void {
  const words = errorWordsIn(json)
  if (words || !isSuccess(reply)) throw replyFailure(replyTo, verdictOn(words, reply), words, reply)
}

/** Throws ProviderError: `rejected` and `broken` are about the task. */
export function readTask(
  received: ProviderReply,
  remoteId: string,
  call: Call,
  checkAfterMs: number,
): Promise<CallResult> {
  return readReply<CallResult>('CHECK', received, call, {
    requestIdIn(json) {
      const { data } = record.safeParse(json)
      return data?.trace_id ?? ids.parse(data?.response).trace_id
    },
    hasResult: (json) => !isAnotherTask(record.safeParse(json).data?.id, remoteId),
    read(json, reply) {
      const task = recordIn(json, reply)
      if (!task.id) return { state: 'MISSING', checkAfterMs }
      if (isAnotherTask(task.id, remoteId)) throw new MalformedReply('is about another task')
      const { response } = task
      // Records have no status: a response means the end. `finished_at` may precede it.
      if (response === null || response === undefined)
        return { state: 'PENDING', progress: null, checkAfterMs }
      const words = errorWordsIn(response)
      throw words?.code || words?.message ? taskFailed(words, reply) : endedWithoutImage(reply)
    },
  })
}

export async function readFound(
  received: ProviderReply,
  clientRef: string,
  call: Call,
): Promise<{ remoteId: string } | undefined> {
  const found = await readReply('CHECK', received, call, {
    hasResult: () => false,
    read: recordIn,
  })
  if (!('id' in found) || !found.id) return undefined
  // Not another client's record.
  if (found.trace_id === clientRef) return { remoteId: found.id }
  throw asFailure(new MalformedReply('is about another task'), 'CHECK', received)
}

export function readCallback(body: string, provider: string): Callback {
  const json = parseJson(body)
  if (typeof json === 'object' && json !== null && !Array.isArray(json))
    return { remoteId: ids.parse(json).task_id ?? null }
  const message = `${provider} sent a callback whose body is not a JSON object.`
  throw new ProviderError({ ...VERDICTS.BROKEN, message })
}

// Empty for an id unknown or not stored yet.
function recordIn(json: unknown, reply: ProviderReply): z.output<typeof record> {
  checkReply('CHECK', json, reply)
  const parsed = record.safeParse(json)
  if (!parsed.success) throw new MalformedReply('has no record of a task')
  return parsed.data
}

function errorWordsIn(json: unknown): UpstreamWords | undefined {
  const hasFailed = typeof json === 'object' && json !== null && 'success' in json && json.success === false
  return wordsIn(json) ?? (hasFailed ? NO_WORDS : undefined)
}

function taskFailed(words: UpstreamWords, reply: ProviderReply): ProviderError {
  const verdict = ofTask(CODES.get(words.code ?? '') ?? VERDICTS.BROKEN)
  // A recorded timeout is the model's: the task has ended.
  const code = verdict.code === 'OUTCOME_UNKNOWN' ? 'PROVIDER_BROKEN' : verdict.code
  return toProviderError({ ...verdict, code }, words, reply)
}

/** `words`: undefined if the body is not this API's. */
function verdictOn(words: UpstreamWords | undefined, reply: ProviderReply): FailureVerdict {
  const known = CODES.get(words?.code ?? '')
  if (known) return known
  return reply.status >= 300 ? verdictOfStatus(reply, words ? 'KNOWN' : 'FOREIGN') : VERDICTS.BROKEN
}

// docs.acedata.cloud, "Authentication" and "Responses": codes and statuses. Failed calls are "generally" not
// billed.
const CODES: ReadonlyMap<string, FailureVerdict> = new Map([
  // 400.
  ['bad_request', VERDICTS.REJECTED],
  ['no_token', VERDICTS.MISCONFIGURED],
  ['api_not_implemented', VERDICTS.MISCONFIGURED],
  // 401.
  ['invalid_token', VERDICTS.MISCONFIGURED],
  ['token_expired', VERDICTS.MISCONFIGURED],
  ['token_mismatched', VERDICTS.MISCONFIGURED],
  // 403: the account, its balance, content moderation.
  ['disabled', VERDICTS.MISCONFIGURED],
  ['used_up', VERDICTS.QUOTA],
  ['forbidden', VERDICTS.BLOCKED],
  // 404.
  ['no_api', VERDICTS.MISCONFIGURED],
  // 429.
  ['too_many_requests', VERDICTS.BUSY],
  // 500 and 504.
  ['api_error', VERDICTS.BROKEN],
  ['timeout', VERDICTS.LOST],
])
