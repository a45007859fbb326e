// What Jimmy's failures mean. docs.jimmyai.cn publishes four codes, so the words have to help: balances, blocks and rate
// limits have no code of their own.
import { z } from 'zod'
import type { ProviderError } from '../error.ts'
import { errorIn } from '../images-api/failure.ts'
import {
  BLOCKED,
  BROKEN,
  BUSY,
  byStatus,
  MISCONFIGURED,
  ofOrder,
  ofQuestion,
  QUOTA,
  REJECTED,
  toProviderError,
  type ReplyFacts,
  type UpstreamWords,
  type Verdict,
} from '../images-api/verdicts.ts'

/** A body, taken out of the envelope that most replies have and some have not. */
export type Opened = { content: unknown } | { failed: UpstreamWords }

const text = z.string().nullish().catch(null)
// 20000 is a number on the page of the synchronous way and a string on that of the task query.
const envelope = z.object({
  code: z.union([z.string(), z.number()]).transform(String),
  msg: text,
  message: text,
  data: z.unknown().optional(),
})

/** Only 20000 is a success, whatever the HTTP status; what has no code is the content itself. */
export function open(json: unknown): Opened {
  const error = errorIn(json)
  if (error?.code || error?.message)
    return { failed: { code: error.code ?? null, message: error.message ?? '' } }
  const wrapped = envelope.safeParse(json)
  if (!wrapped.success) return { content: json }
  const { code, msg, message, data } = wrapped.data
  return code === '20000' ? { content: data } : { failed: { code, message: msg ?? message ?? '' } }
}

/** Whether a reply to a question says that there is no such task. No code for it is documented. */
export function isUnknownTask(opened: Opened, status: number): boolean {
  if (!('failed' in opened) || status >= 500) return false
  return status === 404 || /not (found|exist)|不存在/i.test(opened.failed.message)
}

/** A refused order. `said` is undefined when the body was not one of this API. */
export function orderRefused(said: UpstreamWords | undefined, facts: ReplyFacts): ProviderError {
  return toProviderError(verdictOn(said, facts), said ?? SILENCE, facts)
}

/** A refused question about a task, which says nothing about the task. */
export function questionRefused(said: UpstreamWords | undefined, facts: ReplyFacts): ProviderError {
  return toProviderError(ofQuestion(verdictOn(said, facts)), said ?? SILENCE, facts)
}

/** A task that ended without a picture. Its cause is only in the words, and whether it is billed is not said. */
export function taskFailed(message: string, facts: ReplyFacts): ProviderError {
  const blocked = byWords(message) === BLOCKED
  return toProviderError(ofOrder(blocked ? BLOCKED : BROKEN), { code: null, message }, facts)
}

const SILENCE: UpstreamWords = { code: null, message: '' }

function verdictOn(said: UpstreamWords | undefined, { status }: ReplyFacts): Verdict {
  if (!said) return byStatus(status, 'foreign')
  // A server that failed may have got far before.
  if (status >= 500) return byStatus(status, 'understood')
  const verdict = byWords(said.message)
  if (status < 400 && said.code === '-1') return verdict === BLOCKED ? BLOCKED : BROKEN
  if (verdict) return verdict
  const known = CODES.get(said.code ?? '')
  if (known) return known
  return status >= 400 ? byStatus(status, 'understood') : BROKEN
}

// docs.jimmyai.cn, response codes: -1 is a failure of the server.
const CODES: ReadonlyMap<string, Verdict> = new Map([
  ['20001', MISCONFIGURED],
  ['20002', REJECTED],
])

const WORDS: readonly [RegExp, Verdict][] = [
  [/content.?polic|moderation|safety|sensitive|违规|审核|敏感/i, BLOCKED],
  [
    /(insufficient|not enough).{0,20}(balance|credit|quota|fund)|balance.{0,20}(insufficient|not enough)/i,
    QUOTA,
  ],
  [/余额不足|额度不足|欠费|quota (is )?(exceeded|exhausted|used up)/i, QUOTA],
  [/rate.?limit|too many requests|频繁/i, BUSY],
]

function byWords(message: string): Verdict | undefined {
  return WORDS.find(([pattern]) => pattern.test(message))?.[1]
}
