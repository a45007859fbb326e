import type { BillableAttempt } from '../../db/attempts/billing.ts'
import { badInput } from '../../errors.ts'
import { MAX_COST_MICROS } from '../../money.ts'
import { startOfDay } from '../../period.ts'

/** One charge or credit, with at least one id or the time. */
export interface BillLine {
  /** Negative for a credit. */
  amountMicros: number
  attemptId: string | null
  /** Of the HTTP request. */
  requestId: string | null
  /** Of the job. */
  remoteId: string | null
  at: number | null
}

export interface Bill {
  provider: string
  /** Such as a file name, for the audit log. */
  source: string
  lines: readonly BillLine[]
  /** Every charge from `from` until before `to` is on the bill; null: unknown. */
  period: BillPeriod | null
}

export interface BillPeriod {
  from: number
  /** Exclusive. */
  to: number
}

export const BILL_MATCHES = ['ATTEMPT_ID', 'REQUEST_ID', 'REMOTE_ID', 'TIME_AND_AMOUNT', 'DAY_TOTAL'] as const
export type BillMatch = (typeof BILL_MATCHES)[number]

/** `number`: on the bill, from 1. */
export interface NumberedLine extends BillLine {
  number: number
}

export interface BilledDifference {
  attempt: BillableAttempt
  billedMicros: number
  /** Null: unknown; 0: not charged here. */
  recordedMicros: number | null
  matchedBy: BillMatch
  lines: readonly number[]
}

export interface BillDay {
  /** Midnight in UTC. */
  startsAt: number
  billedMicros: number
  recordedMicros: number
  estimatedMicros: number
  unknownCosts: number
}

export interface BillComparison extends BillPeriod {
  provider: string
  /** Charges without an attempt here. */
  missingHere: NumberedLine[]
  /** Attempts that were or may have been charged here, without a charge there. */
  missingThere: BillableAttempt[]
  different: BilledDifference[]
  /** In progress: their cost is not final. */
  running: number
  matched: number
  days: BillDay[]
  /** Whether the bill has every charge of the period. */
  isComplete: boolean
}

export const MAX_BILL_LINES = 50_000
const DAY_MS = 86_400_000
const MAX_PERIOD_MS = 400 * DAY_MS

/** The given one, else days in UTC from first to last line. Throws BAD_USER_INPUT. */
export function checkBill({ lines, period }: Bill): BillPeriod {
  if (lines.length > MAX_BILL_LINES)
    throw badInput(
      'lines',
      `lines has ${lines.length} items; the maximum is ${MAX_BILL_LINES}. Split the bill by day.`,
    )
  for (const [nth, { amountMicros }] of lines.entries())
    if (!(Math.abs(amountMicros) <= MAX_COST_MICROS))
      throw badInput(
        `lines.${nth}.amountMicros`,
        `lines.${nth}.amountMicros is ${amountMicros}; the maximum is ${MAX_COST_MICROS}.`,
      )
  const found = period ?? periodOf(lines)
  if (found === undefined)
    throw badInput('from', 'from and to are missing; they are required for a bill whose lines have no time.')
  checkPeriod(found)
  return found
}

/** Throws BAD_USER_INPUT. */
export function checkPeriod({ from, to }: BillPeriod): void {
  if (to <= from) throw badInput('to', 'to must be later than from; it is exclusive.')
  if (to - from > MAX_PERIOD_MS)
    throw badInput('to', 'from and to are more than 400 days apart, which is the maximum.')
}

function periodOf(lines: readonly BillLine[]): BillPeriod | undefined {
  const times = lines.flatMap(({ at }) => (at === null ? [] : [at]))
  if (times.length === 0) return undefined
  const [first, last] = times.reduce(
    ([min, max], at) => [Math.min(min, at), Math.max(max, at)],
    [Infinity, 0],
  )
  return { from: startOfDay(first), to: startOfDay(last) + DAY_MS }
}
