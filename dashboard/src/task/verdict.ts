// What an attempt cost, in one sentence.
import type { AttemptDetail } from '../api/generated.ts'
import { formatMoney } from '../format/money.ts'

type Judged = Pick<
  AttemptDetail,
  'charged' | 'costMicros' | 'heldMicros' | 'state' | 'wirePhase' | 'error' | 'ledger' | 'priceVersion'
>

export type Tone = 'good' | 'warn' | 'neutral'

export function verdictOf(attempt: Judged): { text: string; tone: Tone } {
  const { charged, costMicros, heldMicros } = attempt
  if (!isEnded(attempt)) {
    const held = heldMicros === null ? 'no price is known' : `${formatMoney(heldMicros)} is held`
    return { text: `In progress: ${held}`, tone: 'neutral' }
  }
  if (charged === 'NO') return { text: `Not charged: ${reasonOf(attempt)}`, tone: 'good' }
  if (charged === 'UNKNOWN') {
    const most = heldMicros === null ? 'the amount is unknown' : `at most ${formatMoney(heldMicros)}`
    return { text: `May have been charged, ${most}`, tone: 'warn' }
  }
  if (costMicros === null) return { text: 'Charged, cost unknown', tone: 'warn' }
  return { text: `Charged ${formatMoney(costMicros)} ${sourceOf(attempt)}`, tone: 'neutral' }
}

function isEnded({ state }: Judged): boolean {
  return !['PLANNED', 'LEASED', 'SENDING', 'ACCEPTED', 'FETCHING'].includes(state)
}

function reasonOf({ state, wirePhase, error }: Judged): string {
  if (state === 'CANCELED') return 'canceled before anything was sent'
  if (wirePhase === 'NONE' || wirePhase === 'INTENT' || state === 'NOT_SENT')
    return 'nothing was sent to the provider'
  if (state === 'REJECTED') return 'the provider refused the request'
  return error?.message ?? 'the provider does not charge for this'
}

function sourceOf({ ledger, priceVersion }: Judged): string {
  const { source } = ledger.findLast(({ kind }) => kind === 'POST' || kind === 'ADJUST') ?? {}
  if (source === 'BILL') return 'by the bill of the provider'
  if (source === 'OPERATOR') return 'as recorded by an operator'
  if (source === 'ESTIMATE') return 'as estimated, because the cost stayed unknown'
  return priceVersion === null ? 'as reported by the provider' : `by price table ${priceVersion}`
}
