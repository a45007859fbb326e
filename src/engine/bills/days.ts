// Totals per day cannot name attempts, but prove the cost of single ones in two cases.
import { listSentAttempts, type BillableAttempt } from '../../db/attempts/billing.ts'
import type { Queries } from '../../db/connection/database.ts'
import { startOfDay } from '../../period.ts'
import type { BilledDay } from '../../providers/provider.ts'
import type { BillComparison, BilledDifference, BillPeriod } from './bill.ts'
import { daysOf, isInProgress, listProjectIds } from './compare.ts'

const DAY_MS = 86_400_000

/** So long after its end, a day may get more charges. */
const SETTLED_AFTER_MS = DAY_MS

/**
 * If all known costs of a day are its total, its attempts of unknown cost were not charged. If only one cost
 * is unknown, it is the rest of the total.
 */
export async function compareDays(
  q: Queries,
  { provider, from, to, now }: BillPeriod & { provider: string; now: number },
  billed: readonly BilledDay[],
): Promise<BillComparison> {
  const sent = await listSentAttempts(q, { projectIds: await listProjectIds(q), provider, from, to })
  const lines = billed.map(({ startsAt, micros }) => ({ at: startsAt, amountMicros: micros }))
  const days = daysOf(sent, lines)
  const different: BilledDifference[] = []
  const missingThere: BillableAttempt[] = []
  let matched = 0
  const byDay = Map.groupBy(sent, ({ sentAt }) => startOfDay(sentAt!))
  for (const { startsAt, billedMicros, recordedMicros } of days) {
    const ofDay = byDay.get(startsAt) ?? []
    const known = ofDay.filter(({ costMicros, charged }) => costMicros !== null && charged !== 'NO')
    const unknown = ofDay.filter(({ costMicros, charged }) => costMicros === null && charged !== 'NO')
    const rest = billedMicros - recordedMicros
    const isSettled = startsAt + DAY_MS + SETTLED_AFTER_MS <= now && !unknown.some(isInProgress)
    // Each known cost is rounded to a micro-USD here, and not there.
    const agrees = Math.abs(rest) <= known.length
    if (agrees) matched += known.length
    if (!isSettled) continue
    if (agrees) missingThere.push(...unknown)
    else if (rest > 0 && unknown.length === 1) different.push(restOf(unknown[0]!, rest))
  }
  return {
    provider,
    from,
    to,
    days,
    different,
    missingThere,
    matched,
    missingHere: [],
    running: sent.filter(isInProgress).length,
    isComplete: true,
  }
}

function restOf(attempt: BillableAttempt, billedMicros: number): BilledDifference {
  return { attempt, billedMicros, recordedMicros: null, matchedBy: 'DAY_TOTAL', lines: [] }
}
