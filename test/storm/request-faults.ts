import type { ServerResponse } from 'node:http'
import { send, type CannedReply } from '../providers/upstreams/fake.ts'
import { createDeck } from './faults.ts'
import type { ProxyOptions } from './faulty-proxy.ts'

/** Requests that reach the upstream, per round of faults. */
const FAULTLESS = 30

const refusal = (status: number, code: string): CannedReply => ({
  status,
  body: { error: { message: `Failed with ${code}.`, type: code, code } },
})

const FAULTS: Record<string, (response: ServerResponse) => void> = {
  'refused with status 429': (response) => send(response, refusal(429, 'rate_limit_exceeded')),
  'refused with status 503': (response) => send(response, refusal(503, 'server_is_overloaded')),
  'reset before the upstream': (response) => void response.socket?.resetAndDestroy(),
}

/** Ends some requests before the upstream has them, without a charge: true for these. */
export function createRequestFaults({
  random,
  tally,
  evidence,
}: ProxyOptions): (response: ServerResponse, attempt: string) => boolean {
  const deal = createDeck(random, tally, FAULTS, FAULTLESS)
  return (response, attempt) => {
    const card = deal()
    if (!card) return false
    tally.add(card.kind)
    evidence.journal.ofAttempt(attempt, card.kind)
    card.fault(response)
    return true
  }
}
