// The part of the contract about words: an upstream may repeat a prompt in its messages, so no word of a message may
// decide on a charge, a retry or a cooldown.
import { describe, expect, it } from 'vitest'
import { ProviderError, type Failure } from '../../../src/providers/error.ts'
import type { CallResult, Provider } from '../../../src/providers/provider.ts'
import { createRandom } from '../../support/random.ts'
import { openCall, requestOf } from '../call.ts'
import { openSubject } from '../contract-subject.ts'
import type { WireSubject } from '../contract-wire.ts'
import type { CannedReply } from '../upstreams/fake.ts'

const ECHOES_PER_REPLY = 8
const SEED = process.env['TEST_SEED'] ?? String(Date.now())

export function testEcho(name: string, subject: WireSubject): void {
  const { failures, polling } = subject
  const random = createRandom(SEED)

  /** Every reply must be read the same, whatever its messages say. */
  async function differences(replies: readonly [string, CannedReply][], phase: 'SUBMIT' | 'CHECK') {
    const { provider, upstream } = await openSubject(subject)
    const { call } = await openCall()
    const read = async (reply: CannedReply, id: string | undefined) => {
      upstream.script(reply)
      return verdictOf(
        id === undefined ? provider.submit(requestOf(), call) : provider.check!(id, requestOf(), call),
      )
    }
    const id = phase === 'CHECK' ? await accept(provider, call) : undefined
    const found: string[] = []
    for (const [says, reply] of replies) {
      const plain = await read(withMessages(reply, 'It did not work.'), id)
      for (let times = 0; times < ECHOES_PER_REPLY; times++) {
        const words = Array.from({ length: 4 }, () => random.pick(TELLING_WORDS)).join(' ')
        const echoed = await read(withMessages(reply, `Failed to paint "${words}".`), id)
        if (echoed !== plain) found.push(`${says}, with ${words}: ${echoed}, not ${plain}`)
      }
    }
    return found
  }

  describe(`${name} ignores the words of a message (TEST_SEED=${SEED})`, () => {
    it('in the failure of a submit', async () => {
      const replies = failures.map(([says, , , , reply]): [string, CannedReply] => [says, reply])
      expect(await differences(replies, 'SUBMIT')).toEqual([])
    })

    if (!polling) return
    it('in the failure of a check', async () => {
      const rows = polling.statuses.filter(([, becomes]) => becomes !== 'DONE')
      const replies = rows.map(([says, , reply]): [string, CannedReply] => [says, reply])
      expect(await differences(replies, 'CHECK')).toEqual([])
    })
  })
}

async function accept(provider: Provider, call: Parameters<Provider['submit']>[1]): Promise<string> {
  const answer = await provider.submit(requestOf(), call)
  if (answer.state !== 'ACCEPTED') throw new Error(`The request was not accepted but ${answer.state}`)
  return answer.remoteId
}

async function verdictOf(promise: Promise<CallResult>): Promise<string> {
  return promise.then(
    ({ state }) => state,
    (error: unknown) => {
      if (!(error instanceof ProviderError)) throw error
      const { kind, code, charged, retryAfterMs }: Failure = error.failure
      return [kind, code, charged, retryAfterMs].join(' ')
    },
  )
}

/** The reply with this text in each of its messages. */
function withMessages(reply: CannedReply, text: string): CannedReply {
  if (typeof reply.body === 'string') return { ...reply, body: `${reply.body} ${text}` }
  const body: unknown = JSON.parse(JSON.stringify(reply.body), (name, value: unknown) =>
    MESSAGES.has(name) && (typeof value === 'string' || MESSAGES_TOO.has(name)) ? text : value,
  )
  return { ...reply, body }
}

const MESSAGES = new Set([
  'message',
  'msg',
  'error',
  'detail',
  'errorMessage',
  'error_message',
  'error_msg',
  'reason',
])
/** Set where they are null as well. */
const MESSAGES_TOO = new Set(['errorMessage', 'error_message', 'error_msg', 'reason'])

/** Codes, statuses and words that decide elsewhere, or once did. */
const TELLING_WORDS = [
  'insufficient_quota',
  'billing_hard_limit_reached',
  'rate_limit_exceeded',
  'slow_down',
  'server_is_overloaded',
  'invalid_api_key',
  'model_not_found',
  'invalid_image_file',
  'invalid_value',
  'unknown_parameter',
  'moderation_blocked',
  'content_policy_violation',
  'bad_request',
  'no_token',
  'invalid_token',
  'disabled',
  'used_up',
  'forbidden',
  'too_many_requests',
  'api_error',
  'timeout',
  '20000',
  '20001',
  '20002',
  '-1',
  '401',
  '402',
  '404',
  '429',
  '503',
  'content policy',
  'content_policy',
  'moderation',
  'safety system',
  'sensitive',
  '违规',
  '审核',
  '敏感',
  'insufficient balance',
  'not enough credit',
  'balance insufficient',
  'quota exceeded',
  'quota is used up',
  '余额不足',
  '额度不足',
  '欠费',
  'rate limit',
  'rate-limit',
  'too many requests',
  '频繁',
  'task not found',
  'Task does not exist',
  'not found',
  '不存在',
]
