import type { BillableAttempt } from '../../db/attempts/billing.ts'
import { findAnyAttempt } from '../../db/attempts/attempts.ts'
import type { Transaction } from '../../db/connection/database.ts'
import { feedKey } from '../../db/tasks/events.ts'
import type { AttemptRow } from '../../db/tables/tables.ts'
import { lockTask } from '../../db/tasks/tasks.ts'
import type { Charged, TaskError } from '../../domain.ts'
import { formatUsd, MAX_COST_MICROS } from '../../money.ts'
import { deciderOf, recordDecision, type Access } from '../access/access.ts'
import { applyTransition } from '../attempts/apply-transition.ts'
import { concludeTask } from '../attempts/conclude.ts'
import type { ReviewProblem } from '../attempts/resolve-many.ts'
import type { Deps } from '../deps.ts'
import type { BillComparison } from './bill.ts'
import { isInProgress } from './compare.ts'

export interface AppliedBill {
  /** Found before. */
  report: BillComparison
  corrected: number
  problems: ReviewProblem[]
}

interface Correction {
  attempt: Pick<BillableAttempt, 'id' | 'taskId' | 'projectId'>
  billedMicros: number
  /** For the audit log. */
  note: string
}

/** With one commit on SQLite. */
const TOGETHER = 50

/**
 * Records each billed cost in one transaction with its audit record. Attempts without a charge there were not
 * charged if the bill is complete. Idempotent. Sends nothing: clients can retry a task that ends here.
 */
export async function applyBill(
  deps: Deps,
  by: Access,
  report: BillComparison,
  source: string,
): Promise<AppliedBill> {
  const corrections: Correction[] = report.different.map(({ attempt, billedMicros, lines }) => ({
    attempt,
    billedMicros,
    note: lines.length === 0 ? source : `${source}, line ${lines.slice(0, 10).join(', ')}`,
  }))
  if (report.isComplete)
    for (const attempt of report.missingThere)
      corrections.push({ attempt, billedMicros: 0, note: `${source}: no charge of it` })
  const problems: ReviewProblem[] = []
  let corrected = 0
  for (let at = 0; at < corrections.length; at += TOGETHER)
    await Promise.all(
      corrections.slice(at, at + TOGETHER).map(async (correction) => {
        const problem = await correct(deps, by, correction)
        if (problem) problems.push({ attemptId: correction.attempt.id, code: 'CONFLICT', message: problem })
        else corrected++
      }),
    )
  return { report, corrected, problems }
}

/** Returns why it was not corrected. */
async function correct(
  deps: Deps,
  by: Access,
  { attempt: { id, taskId, projectId }, billedMicros, note }: Correction,
): Promise<string | undefined> {
  if (billedMicros < 0)
    return `The bill credits ${id} with more than it charges; record its cost with adjustCost.`
  if (billedMicros > MAX_COST_MICROS) return `The bill charges ${id} more than ${formatUsd(MAX_COST_MICROS)}.`
  const at = deps.clock.now()
  return deps.db.tx(async (q) => {
    const task = await lockTask(q, taskId)
    const before = (await findAnyAttempt(q, id))!
    if (isInProgress(before)) return `${id} is ${before.state}; apply the bill again after it has ended.`
    const after = await transitionByBill(q, before, billedMicros, at)
    if (!after) return `${id} is ${before.state} and cannot be billed ${billedMicros} micro-USD.`
    if (before.state === 'UNKNOWN') await concludeTask(q, deps, task, after, at)
    const cost = { costMicros: `${billedMicros}`, before: before.costMicros?.toString() ?? null }
    const detail = { ...cost, charged: before.charged, note }
    await recordDecision(q, deciderOf(by), { projectId, at, action: 'applyBill', subject: id, detail })
    // For subscriptions to usage.
    q.wakeUp(feedKey(projectId))
    return undefined
  })
}

function transitionByBill(
  q: Transaction,
  { id, state }: AttemptRow,
  billedMicros: number,
  at: number,
): Promise<AttemptRow | undefined> {
  const source = 'BILL'
  if (state === 'UNKNOWN')
    return billedMicros > 0
      ? applyTransition(q, id, 'fail', {
          at,
          source,
          charged: 'YES',
          costMicros: billedMicros,
          error: errorOf('YES'),
        })
      : applyTransition(q, id, 'reject', { at, source, error: errorOf('NO') })
  // What brought images was charged, if only nothing.
  if (billedMicros > 0 || state === 'SUCCEEDED')
    return applyTransition(q, id, 'bill', { at, source, costMicros: billedMicros })
  return applyTransition(q, id, 'waive', { at, source })
}

function errorOf(charged: Charged): TaskError {
  return {
    code: charged === 'YES' ? 'RESULT_UNREACHABLE' : 'OUTCOME_UNKNOWN',
    message:
      charged === 'YES'
        ? 'The bill of the provider shows that this attempt was charged. Its result is lost.'
        : 'The bill of the provider shows that this attempt was not charged.',
    retryable: charged === 'NO',
    charged,
    providerRequestId: null,
  }
}
