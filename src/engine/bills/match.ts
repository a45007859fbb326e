// Which attempt each line is for; pure.
import type { BillableAttempt } from '../../db/attempts/billing.ts'
import type { BillMatch, NumberedLine } from './bill.ts'

export interface MatchedAttempt {
  attempt: BillableAttempt
  matchedBy: BillMatch
  lines: NumberedLine[]
}

export interface Matches {
  byAttempt: Map<string, MatchedAttempt>
  unmatched: NumberedLine[]
}

/** Of clocks and billing. */
const TOLERANCE_MS = 60_000
/** For a request of unknown end. */
const MAX_CALL_MS = 900_000

export function matchLines(lines: readonly NumberedLine[], attempts: readonly BillableAttempt[]): Matches {
  const byAttempt = new Map<string, MatchedAttempt>()
  const assign = (line: NumberedLine, attempt: BillableAttempt, matchedBy: BillMatch) => {
    const known = byAttempt.get(attempt.id)
    if (known) known.lines.push(line)
    else byAttempt.set(attempt.id, { attempt, matchedBy, lines: [line] })
  }
  const find = indexById(attempts)
  const rest = lines.filter((line) => {
    const found = find(line)
    if (found) assign(line, found.attempt, found.matchedBy)
    return !found
  })
  // An id that is not ours is another client's: its time must match none of ours.
  const [anonymous, foreign] = [rest.filter(hasNoId), rest.filter((line) => !hasNoId(line))]
  const left = matchByTime(
    anonymous,
    attempts.filter(({ id }) => !byAttempt.has(id)),
    (line, attempt) => assign(line, attempt, 'TIME_AND_AMOUNT'),
  )
  return { byAttempt, unmatched: [...foreign, ...left].toSorted((a, b) => a.number - b.number) }
}

function hasNoId({ attemptId, requestId, remoteId }: NumberedLine): boolean {
  return attemptId === null && requestId === null && remoteId === null
}

function indexById(attempts: readonly BillableAttempt[]) {
  const byId = new Map(attempts.map((attempt) => [attempt.id, attempt]))
  const byRequest = new Map(attempts.map((attempt) => [attempt.providerRequestId, attempt]))
  const byRemote = new Map(attempts.map((attempt) => [attempt.remoteId, attempt]))
  return ({ attemptId, requestId, remoteId }: NumberedLine) => {
    const candidates = [
      [attemptId === null ? undefined : byId.get(attemptId), 'ATTEMPT_ID'],
      [requestId === null ? undefined : byRequest.get(requestId), 'REQUEST_ID'],
      [remoteId === null ? undefined : byRemote.get(remoteId), 'REMOTE_ID'],
    ] as const
    for (const [attempt, matchedBy] of candidates) if (attempt) return { attempt, matchedBy }
    return undefined
  }
}

/**
 * Matches attempts of exactly this cost, the nearest in time first. Unknown costs match only where line and
 * attempt are each other's only candidate. Returns the other lines.
 */
function matchByTime(
  lines: readonly NumberedLine[],
  attempts: readonly BillableAttempt[],
  assign: (line: NumberedLine, attempt: BillableAttempt) => void,
): NumberedLine[] {
  const byCost = Map.groupBy(
    attempts.filter(({ charged }) => charged !== 'NO'),
    ({ costMicros }) => costMicros,
  )
  const taken = new Set<string>()
  const unpriced = lines.filter((line) => {
    const same = (byCost.get(line.amountMicros) ?? []).filter(
      (attempt) => !taken.has(attempt.id) && distanceMs(line, attempt) !== undefined,
    )
    const [nearest] = same.toSorted((a, b) => distanceMs(line, a)! - distanceMs(line, b)!)
    if (nearest === undefined) return true
    taken.add(nearest.id)
    assign(line, nearest)
    return false
  })
  const uncertain = attempts.filter(isUncertain)
  const candidatesOf = (line: NumberedLine) => uncertain.filter((attempt) => mayBe(line, attempt))
  return unpriced.filter((line) => {
    const [attempt, ...others] = candidatesOf(line)
    if (!attempt || others.length > 0) return true
    if (unpriced.some((other) => other !== line && mayBe(other, attempt))) return true
    assign(line, attempt)
    return false
  })
}

/** Whether only a bill decides what it cost. */
function isUncertain({ charged, costMicros, chargePolicy }: BillableAttempt): boolean {
  return costMicros === null && (charged !== 'NO' || chargePolicy !== null)
}

function mayBe(line: NumberedLine, attempt: BillableAttempt): boolean {
  const isPossible = line.amountMicros > 0 && line.amountMicros <= (attempt.heldMicros ?? Infinity)
  return isPossible && distanceMs(line, attempt) !== undefined
}

/** From sending; undefined for a line of another time. */
function distanceMs({ at }: NumberedLine, { sentAt, finishedAt }: BillableAttempt): number | undefined {
  if (at === null || sentAt === null) return undefined
  const end = finishedAt ?? sentAt + MAX_CALL_MS
  return at < sentAt - TOLERANCE_MS || at > end + TOLERANCE_MS ? undefined : Math.abs(at - sentAt)
}
