import { z } from 'zod'
import { VERDICTS, type FailureVerdict, type ProviderError } from '../error.ts'
import { isSuccess, type ProviderReply } from '../images-api/client.ts'
import {
  ofTask,
  replyFailure,
  toProviderError,
  verdictOfStatus,
  type ReplyTo,
  type UpstreamWords,
} from '../images-api/failure.ts'
import { hasImage, imageEntry, readImages, toDone } from '../images-api/images.ts'
import { readReply } from '../images-api/reply.ts'
import { wordsIn } from '../images-api/upstream-error.ts'
import { toUsage } from '../images-api/usage.ts'
import type { Call, CallResult, ResolvedSettings } from '../provider.ts'
import { MalformedReply } from '../wire/malformed.ts'

export interface Expected {
  resolved: ResolvedSettings
  pollMs: number
}

const text = z.string().min(1).nullish().catch(null)
const taskId = z
  .union([z.string().min(1), z.number()])
  .transform(String)
  .optional()
  .catch(undefined)
const created = z.object({ task_id: taskId })

export function readSubmitted(
  received: ProviderReply,
  call: Call,
  { resolved, pollMs }: Expected,
): Promise<CallResult> {
  return readReply('SUBMIT', received, call, {
    async read(json, reply) {
      const content = contentOf(unwrap(json), 'SUBMIT', reply)
      const done = readImages(content)
      if (done) return { ...done, resolved: { ...resolved, ...done.resolved } }
      const remoteId = created.safeParse(content).data?.task_id
      if (remoteId !== undefined) return { state: 'ACCEPTED', remoteId, checkAfterMs: pollMs }
      throw new MalformedReply('has neither an image nor the id of a task')
    },
  })
}

const links = z
  .union([z.string(), z.array(z.string())])
  .transform((value) => [value].flat().filter((url) => url !== ''))
  .catch([])
const task = z.object({
  task_id: taskId,
  status: z.string().transform((status) => status.toLowerCase()),
  progress: z.union([z.number(), z.string()]).nullish().catch(null),
  // The page shows a link only.
  result: z
    .object({ ...imageEntry.shape, image_url: links })
    .nullish()
    .catch(null),
  usage: z.unknown().optional(),
  error_message: text,
  error_msg: text,
  reason: text,
})

type Task = z.output<typeof task>

/** Throws ProviderError; `rejected` and `broken` are about the task. */
export function readTask(
  received: ProviderReply,
  remoteId: string,
  call: Call,
  expected: Expected,
): Promise<CallResult> {
  return readReply('CHECK', received, call, {
    async read(json, reply) {
      const body = unwrap(json)
      if (isUnknownTask(body, reply)) return { state: 'MISSING', checkAfterMs: expected.pollMs }
      const parsed = task.safeParse(contentOf(body, 'CHECK', reply))
      if (!parsed.success) throw new MalformedReply('has no status of a task')
      if ((parsed.data.task_id ?? remoteId) !== remoteId) throw new MalformedReply('is about another task')
      return toResult(parsed.data, reply, expected)
    },
  })
}

function contentOf(body: Unwrapped, replyTo: ReplyTo, reply: ProviderReply): unknown {
  if ('content' in body && isSuccess(reply)) return body.content
  const words = 'failure' in body ? body.failure : undefined
  throw replyFailure(replyTo, verdictOn(words, reply), words, reply)
}

async function toResult(
  record: Task,
  reply: ProviderReply,
  { resolved, pollMs }: Expected,
): Promise<CallResult> {
  const { status, result, usage, error_message, error_msg, reason } = record
  if (FAILED.has(status)) throw taskFailed(error_message ?? error_msg ?? reason ?? '', reply)
  // An unknown status taken for an end would give up a paid image.
  if (!DONE.has(status))
    return { state: 'PENDING', progress: toFraction(record.progress), checkAfterMs: pollMs }
  const linked = (result?.image_url ?? []).map((url) => ({ url, revised_prompt: result?.revised_prompt }))
  const entries = [...linked, ...(result ? [result] : [])].filter(hasImage)
  if (entries.length === 0) throw taskFailed('the task is completed, but has no image', reply)
  const done = toDone({ entries, usage: toUsage(usage), reported: {} })
  return { ...done, resolved }
}

// docs.jimmyai.cn: `completed` on the query page, "completed or success" in the FAQ, `failed`.
const DONE = new Set(['completed', 'success', 'succeeded'])
const FAILED = new Set(['failed', 'failure', 'error', 'canceled', 'cancelled', 'timeout', 'expired'])

function toFraction(progress: number | string | null | undefined): number | null {
  const percent = typeof progress === 'string' ? Number.parseFloat(progress) : progress
  if (percent === null || percent === undefined || Number.isNaN(percent)) return null
  return Math.min(1, Math.max(0, percent / 100))
}

type Unwrapped = { content: unknown } | { failure: UpstreamWords }

// 20000 is a number on one page, a string on another.
const envelope = z.object({
  code: z.union([z.string(), z.number()]).transform(String),
  msg: text,
  message: text,
  data: z.unknown().optional(),
})

/** Only 20000 is a success. A body without a code has no envelope. */
function unwrap(json: unknown): Unwrapped {
  const error = wordsIn(json)
  if (error) return { failure: error }
  const wrapped = envelope.safeParse(json)
  if (!wrapped.success) return { content: json }
  const { code, msg, message, data } = wrapped.data
  return code === '20000' ? { content: data } : { failure: { code, message: msg ?? message ?? '' } }
}

function isUnknownTask(body: Unwrapped, { status }: ProviderReply): boolean {
  if (!('failure' in body) || status >= 500) return false
  return status === 404 || /not (found|exist)|不存在/i.test(body.failure.message)
}

/** No page says whether a failed task is billed. */
function taskFailed(message: string, reply: ProviderReply): ProviderError {
  const isBlocked = verdictOfMessage(message) === VERDICTS.BLOCKED
  return toProviderError(
    ofTask(isBlocked ? VERDICTS.BLOCKED : VERDICTS.BROKEN),
    { code: null, message },
    reply,
  )
}

/** `words` is undefined when the body is not one of this API. */
function verdictOn(words: UpstreamWords | undefined, reply: ProviderReply): FailureVerdict {
  const { status } = reply
  if (!words) return verdictOfStatus(reply, 'FOREIGN')
  // A server that failed may have done the work.
  if (status >= 500) return verdictOfStatus(reply, 'KNOWN')
  const verdict = verdictOfMessage(words.message)
  if (status < 400 && words.code === '-1')
    return verdict === VERDICTS.BLOCKED ? VERDICTS.BLOCKED : VERDICTS.BROKEN
  if (verdict) return verdict
  const known = CODES.get(words.code ?? '')
  if (known) return known
  return status >= 400 ? verdictOfStatus(reply, 'KNOWN') : VERDICTS.BROKEN
}

// docs.jimmyai.cn, response codes. -1 is a failure of the server.
const CODES: ReadonlyMap<string, FailureVerdict> = new Map([
  ['20001', VERDICTS.MISCONFIGURED],
  ['20002', VERDICTS.REJECTED],
])

// No code is documented for balances, blocks and rate limits.
const MESSAGES: readonly [RegExp, FailureVerdict][] = [
  [/content.?polic|moderation|safety|sensitive|违规|审核|敏感/i, VERDICTS.BLOCKED],
  [
    /(insufficient|not enough).{0,20}(balance|credit|quota|fund)|balance.{0,20}(insufficient|not enough)/i,
    VERDICTS.QUOTA,
  ],
  [/余额不足|额度不足|欠费|quota (is )?(exceeded|exhausted|used up)/i, VERDICTS.QUOTA],
  [/rate.?limit|too many requests|频繁/i, VERDICTS.BUSY],
]

function verdictOfMessage(message: string): FailureVerdict | undefined {
  return MESSAGES.find(([pattern]) => pattern.test(message))?.[1]
}
