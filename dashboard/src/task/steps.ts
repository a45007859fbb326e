// The history of an attempt on one time axis: its queue, its request, its ledger lines and decisions.
import type { AttemptDetail } from '../api/generated.ts'
import { PHASES, RESOLUTIONS } from '../format/attempt.ts'
import { formatMoney } from '../format/money.ts'

export interface Step {
  at: string
  text: string
  /** Signed, as in the ledger; undefined for a step without money. */
  amount?: string
  tone: 'time' | 'money' | 'decision'
}

const LEDGER: Readonly<Record<string, string>> = {
  HOLD: 'Held from the budget',
  POST: 'Posted as cost',
  VOID: 'Released: not charged',
  ADJUST: 'Adjusted',
}
/** In the order of time; steps of one moment in the order of the process. */
export function stepsOf(attempt: AttemptDetail): Step[] {
  const { createdAt, sentAt, finishedAt, wirePhase, httpStatus, ledger, decisions } = attempt
  const steps: Step[] = [
    { at: createdAt, text: 'Queued', tone: 'time' },
    ...ledger
      .filter(({ kind }) => kind === 'HOLD')
      .map(({ at, kind, amountMicros }) => ({
        at,
        text: LEDGER[kind] ?? kind,
        amount: amountMicros === null ? 'no price' : formatMoney(amountMicros),
        tone: 'money' as const,
      })),
  ]
  if (sentAt !== null) steps.push({ at: sentAt, text: 'Intent recorded, request sent', tone: 'time' })
  if (finishedAt !== null) {
    const status = httpStatus === null ? '' : `, HTTP ${httpStatus}`
    steps.push({ at: finishedAt, text: `${PHASES[wirePhase]}${status}`, tone: 'time' })
  }
  for (const { at, kind, amountMicros, priceVersion, source } of ledger) {
    if (kind === 'HOLD') continue
    const by = source === 'PRICE' && priceVersion !== null ? ` by ${priceVersion}` : ''
    const amount = amountMicros === null ? {} : { amount: formatMoney(amountMicros) }
    steps.push({ at, text: `${LEDGER[kind] ?? kind}${by}`, ...amount, tone: 'money' })
  }
  for (const { at, by, note, resolution, costMicros } of decisions) {
    const what = resolution === null ? 'Cost recorded' : `Decided: ${RESOLUTIONS[resolution]}`
    const details = [by, note].filter((part) => part !== null).join(': ')
    const amount = costMicros === null ? {} : { amount: formatMoney(costMicros) }
    steps.push({ at, text: details === '' ? what : `${what} (${details})`, ...amount, tone: 'decision' })
  }
  return steps.toSorted((a, b) => Date.parse(a.at) - Date.parse(b.at))
}
