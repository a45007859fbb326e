// Jimmy's failures. docs.jimmyai.cn publishes four codes. Balances, blocks and rate limits have none, so the message has
// to tell them apart.
import { z } from 'zod'
import type { ProviderError } from '../error.ts'
import type { ProviderReply } from '../images-api/client.ts'
import {
  BLOCKED,
  BROKEN,
  BUSY,
  MISCONFIGURED,
  ofTask,
  QUOTA,
  REJECTED,
  toProviderError,
  verdictOfStatus,
  type FailureVerdict,
  type UpstreamWords,
} from '../images-api/failure.ts'
import { wordsIn } from '../images-api/upstream-error.ts'

/** A body out of its envelope, which some replies have and some have not. */
export type Unwrapped = { content: unknown } | { failure: UpstreamWords }

const text = z.string().nullish().catch(null)
// The page of the synchronous route shows 20000 as a number, that of the task query as a string.
const envelope = z.object({
  code: z.union([z.string(), z.number()]).transform(String),
  msg: text,
  message: text,
  data: z.unknown().optional(),
})

/** Only code 20000 is a success, whatever the HTTP status. A body without a code is the content itself. */
export function unwrap(json: unknown): Unwrapped {
  const error = wordsIn(json)
  if (error) return { failure: error }
  const wrapped = envelope.safeParse(json)
  if (!wrapped.success) return { content: json }
  const { code, msg, message, data } = wrapped.data
  return code === '20000' ? { content: data } : { failure: { code, message: msg ?? message ?? '' } }
}

/** Whether the reply to a check reports an unknown task. No code for it is documented. */
export function isUnknownTask(body: Unwrapped, { status }: ProviderReply): boolean {
  if (!('failure' in body) || status >= 500) return false
  return status === 404 || /not (found|exist)|不存在/i.test(body.failure.message)
}

/** A task that ended without an image. No page says whether it is billed. */
export function taskFailed(message: string, reply: ProviderReply): ProviderError {
  const isBlocked = verdictOfMessage(message) === BLOCKED
  return toProviderError(ofTask(isBlocked ? BLOCKED : BROKEN), { code: null, message }, reply)
}

/** The verdict on a failed submit or check. `words` is undefined when the body is not one of this API. */
export function verdictOn(words: UpstreamWords | undefined, reply: ProviderReply): FailureVerdict {
  const { status } = reply
  if (!words) return verdictOfStatus(reply, 'FOREIGN')
  // A server that failed may have done the work.
  if (status >= 500) return verdictOfStatus(reply, 'KNOWN')
  const verdict = verdictOfMessage(words.message)
  if (status < 400 && words.code === '-1') return verdict === BLOCKED ? BLOCKED : BROKEN
  if (verdict) return verdict
  const known = CODES.get(words.code ?? '')
  if (known) return known
  return status >= 400 ? verdictOfStatus(reply, 'KNOWN') : BROKEN
}

// docs.jimmyai.cn, response codes. -1 is a failure of the server.
const CODES: ReadonlyMap<string, FailureVerdict> = new Map([
  ['20001', MISCONFIGURED],
  ['20002', REJECTED],
])

const MESSAGES: readonly [RegExp, FailureVerdict][] = [
  [/content.?polic|moderation|safety|sensitive|违规|审核|敏感/i, BLOCKED],
  [
    /(insufficient|not enough).{0,20}(balance|credit|quota|fund)|balance.{0,20}(insufficient|not enough)/i,
    QUOTA,
  ],
  [/余额不足|额度不足|欠费|quota (is )?(exceeded|exhausted|used up)/i, QUOTA],
  [/rate.?limit|too many requests|频繁/i, BUSY],
]

function verdictOfMessage(message: string): FailureVerdict | undefined {
  return MESSAGES.find(([pattern]) => pattern.test(message))?.[1]
}
