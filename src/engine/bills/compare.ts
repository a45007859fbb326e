import { listAttemptsByIds, listSentAttempts, type BillableAttempt } from '../../db/attempts/billing.ts'
import { listAllProjects } from '../../db/access/projects.ts'
import type { Queries } from '../../db/connection/database.ts'
import { startOfDay } from '../../period.ts'
import { hasEnded } from '../attempts/machine.ts'
import { checkBill, type Bill, type BillComparison, type BillDay, type BilledDifference } from './bill.ts'
import { matchLines, type MatchedAttempt } from './match.ts'

/** Compares a bill with the attempts of its provider in all projects. Throws BAD_USER_INPUT. */
export async function compareBill(q: Queries, bill: Bill): Promise<BillComparison> {
  const { provider, lines, period } = bill
  const { from, to } = checkBill(bill)
  const numbered = lines.map((line, nth) => ({ ...line, number: nth + 1 }))
  const sent = await listSentAttempts(q, { projectIds: await listProjectIds(q), provider, from, to })
  const known = new Map(sent.map((attempt) => [attempt.id, attempt]))
  for (const [column, name] of [
    ['id', 'attemptId'],
    ['remoteId', 'remoteId'],
  ] as const) {
    const ids = new Set(lines.flatMap((line) => line[name] ?? []))
    for (const attempt of await listAttemptsByIds(q, provider, column, [...ids]))
      known.set(attempt.id, attempt)
  }
  const { byAttempt, unmatched } = matchLines(numbered, [...known.values()])
  const compared = [...byAttempt.values()].map(toDifference)
  const ended = compared.filter(({ attempt }) => !isInProgress(attempt))
  const different = ended.filter(differs)
  const missingThere = sent.filter((attempt) => !byAttempt.has(attempt.id) && isCounted(attempt))
  return {
    provider,
    from,
    to,
    different,
    missingThere,
    running: compared.length - ended.length,
    missingHere: unmatched,
    matched: ended.length - different.length,
    days: daysOf(sent, [...unmatched, ...[...byAttempt.values()].flatMap(datedLines)]),
    isComplete: period !== null,
  }
}

export async function listProjectIds(q: Queries): Promise<string[]> {
  return (await listAllProjects(q)).map(({ id }) => id)
}

function toDifference({ attempt, matchedBy, lines }: MatchedAttempt): BilledDifference {
  return {
    attempt,
    matchedBy,
    billedMicros: lines.reduce((sum, { amountMicros }) => sum + amountMicros, 0),
    recordedMicros: recordedOf(attempt),
    lines: lines.map(({ number }) => number),
  }
}

function recordedOf({ charged, costMicros }: BillableAttempt): number | null {
  return charged === 'NO' ? 0 : costMicros
}

function differs({ billedMicros, recordedMicros }: BilledDifference): boolean {
  return billedMicros !== recordedMicros
}

export function isInProgress({ state }: Pick<BillableAttempt, 'state'>): boolean {
  return !hasEnded(state) && state !== 'UNKNOWN'
}

function isCounted(attempt: BillableAttempt): boolean {
  return !isInProgress(attempt) && attempt.charged !== 'NO' && attempt.costMicros !== 0
}

/** A line without a time counts when its attempt was sent. */
function datedLines({ attempt, lines }: MatchedAttempt) {
  return lines.map((line) => ({ ...line, at: line.at ?? attempt.sentAt ?? attempt.createdAt }))
}

/** Lines without time are in no day. */
export function daysOf(
  sent: readonly BillableAttempt[],
  lines: readonly { at: number | null; amountMicros: number }[],
): BillDay[] {
  const days = new Map<number, BillDay>()
  const dayOf = (at: number): BillDay => {
    const startsAt = startOfDay(at)
    const known = days.get(startsAt)
    if (known) return known
    const day = { startsAt, billedMicros: 0, recordedMicros: 0, estimatedMicros: 0, unknownCosts: 0 }
    days.set(startsAt, day)
    return day
  }
  for (const { at, amountMicros } of lines) if (at !== null) dayOf(at).billedMicros += amountMicros
  for (const { sentAt, charged, costMicros, estimatedMicros } of sent) {
    if (sentAt === null) continue
    const day = dayOf(sentAt)
    day.recordedMicros += costMicros ?? 0
    day.estimatedMicros += estimatedMicros ?? 0
    if (charged !== 'NO' && costMicros === null) day.unknownCosts++
  }
  return [...days.values()].toSorted((a, b) => a.startsAt - b.startsAt)
}
