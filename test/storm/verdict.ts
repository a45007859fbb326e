// The comparison at the end of a storm, with the evidence of its proxies and disks.
import type { FinalState } from '../support/final-state.ts'
import { groupDiscrepancies, type Discrepancies, type Records } from './discrepancies.ts'
import type { Evidence } from './evidence.ts'
import { TUNING } from './gateways.ts'
import type { Charge } from './upstreams.ts'

/** A request may be on its way while its task's first answer is found. */
const MAX_TRANSIT_MS = 1000

export interface Verdict extends Discrepancies {
  /** Second charges of tasks whose first answer was on a disk that came back. */
  paidTwiceBesideAnswer: string[]
  /** Attempts that wait although their task has ended. */
  unended: string[]
}

export function judge(
  state: FinalState,
  records: Records,
  { evidence, bills }: { evidence: Evidence; bills: readonly Charge[] },
): Verdict {
  const discrepancies = groupDiscrepancies(state, {
    ...records,
    received: new Set([...records.received, ...evidence.required()]),
  })
  return {
    ...discrepancies,
    ledgerDifferences: [...discrepancies.ledgerDifferences, ...findOtherAmounts(state, evidence, bills)],
    paidTwiceBesideAnswer: findNeedlessCharges(state, evidence, bills),
    unended: state.attempts
      .filter(({ state: current }) => ['PLANNED', 'ACCEPTED', 'FETCHING'].includes(current))
      .map(({ id, state: current }) => `${id} is ${current}`),
  }
}

/** Tasks that upstreams charged more than once. */
export function countPaidAgain({ attempts }: FinalState, bills: readonly Charge[]): number {
  const charged = new Set(bills.map(({ attempt }) => attempt))
  const ofTasks = Map.groupBy(
    attempts.filter(({ id }) => charged.has(id)),
    ({ taskId }) => taskId,
  )
  return [...ofTasks.values()].filter((all) => all.length > 1).length
}

/** Costs that are known must be what the upstream billed, unless its reply was altered on the way. */
function findOtherAmounts(
  { attempts }: FinalState,
  { altered }: Evidence,
  bills: readonly Charge[],
): string[] {
  const billed = new Map(bills.map(({ attempt, micros }) => [attempt, micros]))
  return attempts
    .filter(({ id, costMicros }) => costMicros !== null && billed.has(id) && !altered.has(id))
    .filter(({ id, costMicros }) => costMicros !== billed.get(id))
    .map(({ id, costMicros }) => `${id} was billed ${billed.get(id)}, and the ledger has ${costMicros}`)
}

function findNeedlessCharges(
  { attempts }: FinalState,
  { receivedAt, awayAt, sentAt }: Evidence,
  bills: readonly Charge[],
): string[] {
  const charged = new Set(bills.map(({ attempt }) => attempt))
  const attemptsOf = Map.groupBy(attempts, ({ taskId }) => taskId)
  return attempts.flatMap((first) => {
    const at = receivedAt.get(first.id)
    if (at === undefined) return []
    // On a busy machine a process may start for longer than the grace time. Sending again is right then.
    const isAllowed = (sent: number) =>
      (awayAt.get(first.id) ?? []).some(
        ({ from, to }) => sent > from + TUNING.resendGraceMs && sent < to + MAX_TRANSIT_MS,
      )
    const isNeedless = (sent: number) => sent > at + MAX_TRANSIT_MS && !isAllowed(sent)
    return (attemptsOf.get(first.taskId) ?? [])
      .filter(({ id }) => id !== first.id && charged.has(id) && isNeedless(sentAt.get(id) ?? 0))
      .map(({ id }) => `${id} was charged although the answer of ${first.id} was on disk`)
  })
}
