import { findAttempt } from '../../db/attempts/attempts.ts'
import {
  countForReview,
  listForReview,
  type ReviewFilter,
  type ReviewReason,
} from '../../db/attempts/review.ts'
import type { AttemptRow } from '../../db/tables/tables.ts'
import { lockTask } from '../../db/tasks/tasks.ts'
import { feedKey } from '../../db/tasks/events.ts'
import { badInput, conflict, GatewayError, notFound } from '../../errors.ts'
import { deciderOf, recordDecision, type Access } from '../access/access.ts'
import type { Deps } from '../deps.ts'
import { adjustCost, checkNote } from './adjust-cost.ts'
import { applyTransition } from './apply-transition.ts'
import { resolveAttempt, type Resolution } from './resolve.ts'

/** Attempts per call. */
export const MAX_RESOLVED = 1_000

/** Why an attempt was left as it is. */
export interface ReviewProblem {
  attemptId: string
  /** A request error code. */
  code: string
  message: string
}

export type BulkResolution = Exclude<Resolution['is'], 'ADOPT_REMOTE_ID'>

export interface ReviewSelection {
  /** Null: by `filter`. */
  ids: readonly string[] | null
  reasons: readonly ReviewReason[]
  filter: ReviewFilter
}

export interface ResolvedAttempts {
  resolved: number
  problems: ReviewProblem[]
  /** Still matching the filter; null with ids. */
  remaining: number | null
}

/** Each attempt, up to 1,000, in its own audited transaction. Throws BAD_USER_INPUT. */
export async function resolveAttempts(
  deps: Deps,
  by: Access,
  selection: ReviewSelection,
  resolution: BulkResolution,
  note: string,
): Promise<ResolvedAttempts> {
  checkNote(note)
  const ids = await select(deps, by.projectId, selection)
  const problems: ReviewProblem[] = []
  for (const id of ids) {
    const problem = await attemptTo(id, () => resolveOne(deps, by, id, resolution, note))
    if (problem) problems.push(problem)
  }
  const { reasons, filter } = selection
  const counts = selection.ids ? [] : await countForReview(deps.db.reports, by.projectId, reasons, filter)
  const remaining = selection.ids ? null : counts.reduce((sum, { attempts }) => sum + attempts, 0)
  return { resolved: ids.length - problems.length, problems, remaining }
}

export interface CostLine {
  attemptId: string
  costMicros: number
}

export interface AdjustedCosts {
  adjusted: number
  /** Attempts that had this cost already. */
  unchanged: number
  problems: ReviewProblem[]
}

/** Each cost, up to 1,000, in its own audited transaction. Throws BAD_USER_INPUT. */
export async function adjustCosts(
  deps: Deps,
  by: Access,
  lines: readonly CostLine[],
  note: string,
): Promise<AdjustedCosts> {
  checkNote(note)
  checkSize('lines', lines.length)
  const ids = lines.map(({ attemptId }) => attemptId)
  const repeated = ids.find((id, nth) => ids.indexOf(id) !== nth)
  if (repeated !== undefined) throw badInput('lines', `lines names ${repeated} twice.`)
  const result: AdjustedCosts = { adjusted: 0, unchanged: 0, problems: [] }
  for (const { attemptId, costMicros } of lines) {
    const known = await findAttempt(deps.db.read, by.projectId, attemptId)
    if (known?.costMicros === costMicros && known.charged !== 'NO') {
      result.unchanged++
      continue
    }
    const problem = await attemptTo(attemptId, () => adjustCost(deps, by, attemptId, costMicros, note))
    if (problem) result.problems.push(problem)
    else result.adjusted++
  }
  return result
}

function checkSize(field: string, length: number): void {
  if (length > MAX_RESOLVED)
    throw badInput(field, `${field} has ${length} items; the maximum is ${MAX_RESOLVED}.`)
}

async function select(
  { db }: Pick<Deps, 'db'>,
  projectId: string,
  { ids, reasons, filter }: ReviewSelection,
): Promise<string[]> {
  if (ids) {
    checkSize('ids', ids.length)
    return [...new Set(ids)]
  }
  const found: string[] = []
  for (const reason of reasons) {
    const limit = MAX_RESOLVED - found.length
    if (limit <= 0) break
    const rows = await listForReview(db.reports, projectId, reason, filter, { limit })
    found.push(...rows.map(({ id }) => id))
  }
  return found
}

async function attemptTo(
  attemptId: string,
  work: () => Promise<unknown>,
): Promise<ReviewProblem | undefined> {
  try {
    await work()
    return undefined
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error
    return { attemptId, code: error.code, message: error.message }
  }
}

async function resolveOne(
  deps: Deps,
  by: Access,
  id: string,
  is: BulkResolution,
  note: string,
): Promise<void> {
  const attempt = await findAttempt(deps.db.read, by.projectId, id)
  if (!attempt) throw notFound('attempt', id, 'ids')
  if (attempt.state === 'UNKNOWN') await resolveAttempt(deps, by.projectId, id, { is }, note, deciderOf(by))
  else if (is === 'NOT_CHARGED') await waive(deps, by, attempt, note)
  else await chargeHeld(deps, by, attempt, note)
}

async function waive(
  deps: Deps,
  by: Access,
  { id, taskId, projectId }: AttemptRow,
  note: string,
): Promise<void> {
  const at = deps.clock.now()
  await deps.db.tx(async (q) => {
    await lockTask(q, taskId)
    const before = (await findAttempt(q, projectId, id))!
    const isOpen = before.charged !== 'NO' && before.costMicros === null
    if (!isOpen || !(await applyTransition(q, id, 'waive', { at }))) throw unresolvable(before)
    const detail = { is: 'NOT_CHARGED', note }
    await recordDecision(q, deciderOf(by), { projectId, at, action: 'resolveAttempt', subject: id, detail })
    q.wakeUp(feedKey(projectId))
  })
}

async function chargeHeld(deps: Deps, by: Access, attempt: AttemptRow, note: string): Promise<void> {
  const { id, state, charged, costMicros, estimatedMicros, heldMicros } = attempt
  const micros = estimatedMicros ?? heldMicros
  if (state !== 'FAILED' || charged === 'NO' || costMicros !== null) throw unresolvable(attempt)
  if (micros === null) throw conflict(`${id} has no known maximum cost. Record its cost with adjustCosts.`)
  await adjustCost(deps, by, id, micros, note)
}

function unresolvable({ id, state, charged, costMicros }: AttemptRow): GatewayError {
  const message =
    state === 'SUCCEEDED' && costMicros === null
      ? `${id} is SUCCEEDED, so it was charged. Record its cost with adjustCosts.`
      : `${id} is ${state}, charged ${charged}, with ${costMicros === null ? 'no' : 'a'} known cost; it needs no resolution.`
  return conflict(message)
}
