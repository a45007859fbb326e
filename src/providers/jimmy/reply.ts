import { z } from 'zod'
import { VERDICTS, type FailureVerdict } from '../error.ts'
import { isSuccess, type ProviderReply } from '../images-api/client.ts'
import {
  endedWithoutImage,
  ofTask,
  replyFailure,
  toProviderError,
  verdictOfStatus,
  type ReplyTo,
  type UpstreamWords,
} from '../images-api/failure.ts'
import { readReply } from '../images-api/reply.ts'
import { idOrNumber, isAnotherTask } from '../images-api/task.ts'
import { wordsIn } from '../images-api/upstream-error.ts'
import type { Call, CallResult, ResolvedSettings } from '../provider.ts'
import { MalformedReply } from '../wire/malformed.ts'

export interface Expected {
  resolved: ResolvedSettings
  pollMs: number
}

const text = z.string().min(1).nullish().catch(null)
const created = z.object({ task_id: idOrNumber })

export function readSubmitted(
  received: ProviderReply,
  call: Call,
  { resolved, pollMs }: Expected,
): Promise<CallResult> {
  const result = readReply<CallResult>('SUBMIT', received, call, {
    read(json, reply) {
      const remoteId = created.safeParse(contentOf(unwrap(json), 'SUBMIT', reply)).data?.task_id
      if (remoteId) return { state: 'ACCEPTED', remoteId, checkAfterMs: pollMs }
      throw new MalformedReply('has neither an image nor the id of a task')
    },
  })
  return withResolved(result, resolved)
}

const task = z.object({
  task_id: z.unknown().optional(),
  status: z
    .string()
    .transform((status) => status.toLowerCase())
    .nullish()
    .catch(null),
  progress: z.union([z.number(), z.string()]).nullish().catch(null),
  error_message: text,
  error_msg: text,
  reason: text,
})

/** Throws ProviderError: `rejected` and `broken` are about the task. */
export function readTask(
  received: ProviderReply,
  remoteId: string,
  call: Call,
  { resolved, pollMs }: Expected,
): Promise<CallResult> {
  const result = readReply<CallResult>('CHECK', received, call, {
    hasResult(json) {
      const record = task.safeParse(wrapped.safeParse(json).data?.data ?? json).data
      return !isAnotherTask(record?.task_id, remoteId) && !RUNNING.has(record?.status ?? '')
    },
    read(json, reply) {
      const body = unwrap(json)
      if (isUnknownTask(body, reply)) return { state: 'MISSING', checkAfterMs: pollMs }
      const { data: record } = task.safeParse(contentOf(body, 'CHECK', reply))
      if (!record?.status) throw new MalformedReply('has no status of a task')
      if (isAnotherTask(record.task_id, remoteId)) throw new MalformedReply('is about another task')
      const { status, error_message, error_msg, reason } = record
      if (DONE.has(status)) throw endedWithoutImage(reply)
      const message = error_message ?? error_msg ?? reason ?? ''
      // No page says whether failed tasks are billed, or has a code for the cause.
      if (FAILED.has(status)) throw toProviderError(ofTask(VERDICTS.BROKEN), { code: null, message }, reply)
      const unknownStatus = RUNNING.has(status) ? undefined : status
      const progress = toFraction(record.progress)
      return { state: 'PENDING', progress, checkAfterMs: pollMs, unknownStatus }
    },
  })
  return withResolved(result, resolved)
}

async function withResolved(result: Promise<CallResult>, resolved: ResolvedSettings): Promise<CallResult> {
  const answer = await result
  return answer.state === 'DONE' ? { ...answer, resolved: { ...resolved, ...answer.resolved } } : answer
}

function contentOf(body: Unwrapped, replyTo: ReplyTo, reply: ProviderReply): unknown {
  if ('content' in body && isSuccess(reply)) return body.content
  const words = 'failure' in body ? body.failure : undefined
  throw replyFailure(replyTo, verdictOn(words, reply), words, reply)
}

/** Whatever its code. */
const wrapped = z.object({ data: z.looseObject({}) })

// The query page; "completed or success" in the FAQ.
const RUNNING = new Set(['queued', 'pending', 'submitted', 'processing'])
const DONE = new Set(['completed', 'success', 'succeeded'])
const FAILED = new Set(['failed', 'failure', 'error', 'canceled', 'cancelled', 'timeout', 'expired'])

function toFraction(progress: number | string | null | undefined): number | null {
  const percent = typeof progress === 'string' ? Number.parseFloat(progress) : progress
  if (percent === null || percent === undefined || Number.isNaN(percent)) return null
  return Math.min(1, Math.max(0, percent / 100))
}

type Unwrapped = { content: unknown } | { failure: UpstreamWords }

// 20000: a number on one page, a string on another.
const envelope = z.object({
  code: z.union([z.string(), z.number()]).transform(String),
  msg: text,
  message: text,
  data: z.unknown().optional(),
})

/** Only 20000 is a success. Without a code, there is no envelope. */
function unwrap(json: unknown): Unwrapped {
  const error = wordsIn(json)
  if (error) return { failure: error }
  const parsed = envelope.safeParse(json)
  if (!parsed.success) return { content: json }
  const { code, msg, message, data } = parsed.data
  return code === '20000' ? { content: data } : { failure: { code, message: msg ?? message ?? '' } }
}

// No documented code.
function isUnknownTask(body: Unwrapped, { status }: ProviderReply): boolean {
  return 'failure' in body && status === 404
}

/** `words`: undefined if the body is not this API's. */
function verdictOn(words: UpstreamWords | undefined, reply: ProviderReply): FailureVerdict {
  const { status } = reply
  if (!words) return verdictOfStatus(reply, 'FOREIGN')
  // A failed server may have done the work.
  const known = status < 500 ? CODES.get(words.code ?? '') : undefined
  if (known) return known
  return status >= 400 ? verdictOfStatus(reply, 'KNOWN') : VERDICTS.BROKEN
}

// docs.jimmyai.cn, response codes, without 20000 (success) and -1 (server failure), which tells nothing, as
// any other code.
const CODES: ReadonlyMap<string, FailureVerdict> = new Map([
  ['20001', VERDICTS.MISCONFIGURED],
  ['20002', VERDICTS.REJECTED],
])
