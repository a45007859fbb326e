// docs.jimmyai.cn publishes four codes, none for balances, blocks and rate limits: only the message tells.
import { z } from 'zod'
import { VERDICTS, type ProviderError, type FailureVerdict } from '../error.ts'
import type { ProviderReply } from '../images-api/client.ts'
import { ofTask, toProviderError, verdictOfStatus, type UpstreamWords } from '../images-api/failure.ts'
import { wordsIn } from '../images-api/upstream-error.ts'

export type Unwrapped = { content: unknown } | { failure: UpstreamWords }

const text = z.string().nullish().catch(null)
// 20000 is a number on one page, a string on another.
const envelope = z.object({
  code: z.union([z.string(), z.number()]).transform(String),
  msg: text,
  message: text,
  data: z.unknown().optional(),
})

/** Only 20000 is a success. A body without a code has no envelope. */
export function unwrap(json: unknown): Unwrapped {
  const error = wordsIn(json)
  if (error) return { failure: error }
  const wrapped = envelope.safeParse(json)
  if (!wrapped.success) return { content: json }
  const { code, msg, message, data } = wrapped.data
  return code === '20000' ? { content: data } : { failure: { code, message: msg ?? message ?? '' } }
}

/** No code for it is documented. */
export function isUnknownTask(body: Unwrapped, { status }: ProviderReply): boolean {
  if (!('failure' in body) || status >= 500) return false
  return status === 404 || /not (found|exist)|不存在/i.test(body.failure.message)
}

/** No page says whether a failed task is billed. */
export function taskFailed(message: string, reply: ProviderReply): ProviderError {
  const isBlocked = verdictOfMessage(message) === VERDICTS.BLOCKED
  return toProviderError(
    ofTask(isBlocked ? VERDICTS.BLOCKED : VERDICTS.BROKEN),
    { code: null, message },
    reply,
  )
}

/** `words` is undefined when the body is not one of this API. */
export function verdictOn(words: UpstreamWords | undefined, reply: ProviderReply): FailureVerdict {
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
