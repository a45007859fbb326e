import { findAttempt } from '../../db/attempts/attempts.ts'
import { releaseSuccessors } from '../../db/attempts/unknown.ts'
import { insertAudit } from '../../db/access/audit.ts'
import type { AttemptRow } from '../../db/tables/tables.ts'
import { lockTask } from '../../db/tasks/tasks.ts'
import { badInput, GatewayError, notFound } from '../../errors.ts'
import { newId } from '../../ids.ts'
import type { Failure } from '../../providers/error.ts'
import type { Decider } from '../access/access.ts'
import type { Deps } from '../deps.ts'
import { findProvider } from '../routing/configured.ts'
import { acceptAttempt } from './apply-transition.ts'
import { storedEvidence } from './outcome.ts'
import { settle } from './settle.ts'

export type Resolution =
  | { is: 'NOT_CHARGED' }
  | { is: 'CHARGED_RESULT_LOST' }
  | { is: 'ADOPT_REMOTE_ID'; remoteId: string }

/**
 * Resolves an attempt whose outcome is UNKNOWN. Audited. NOT_CHARGED retries, CHARGED_RESULT_LOST ends it,
 * and ADOPT_REMOTE_ID schedules a check. Throws NOT_FOUND, CONFLICT, and BAD_USER_INPUT for a provider
 * without checks.
 */
export async function resolveAttempt(
  deps: Deps,
  projectId: string,
  id: string,
  resolution: Resolution,
  note: string | null,
  by?: Decider,
): Promise<AttemptRow> {
  const attempt = await findAttempt(deps.db.read, projectId, id)
  if (!attempt) throw notFound('attempt', id, 'id')
  if (attempt.state !== 'UNKNOWN') {
    const message = `${id} is ${attempt.state}; only an attempt whose outcome is UNKNOWN can be resolved.`
    throw new GatewayError('CONFLICT', message, { field: 'id' })
  }
  const fail = (how: { failure: Failure; costMicros?: number | null }) =>
    settle(deps, attempt, storedEvidence(attempt), { state: 'FAILED', ...how })
  if (resolution.is === 'ADOPT_REMOTE_ID') await adoptRemoteId(deps, attempt, resolution.remoteId)
  else if (resolution.is === 'NOT_CHARGED') await fail({ failure: NOT_CHARGED })
  // The cost will not be reported: the worst case is posted.
  else await fail({ failure: RESULT_LOST, costMicros: attempt.heldMicros })
  const at = deps.clock.now()
  const detail = { ...resolution, note, ...(by && { by: by.name }) }
  await deps.db.tx(async (q) => {
    // A successor need not wait for evidence.
    await releaseSuccessors(q, attempt)
    await insertAudit(q, {
      id: newId('aud', at),
      projectId,
      at,
      action: 'resolveAttempt',
      subject: id,
      detail,
    })
  })
  return (await findAttempt(deps.db.read, projectId, id))!
}

async function adoptRemoteId(deps: Deps, attempt: AttemptRow, remoteId: string): Promise<void> {
  if (!findProvider(deps.providers, attempt.provider)?.check)
    throw badInput(
      'remoteId',
      `The provider ${attempt.provider} does not support checking an accepted request.`,
    )
  await deps.db.tx(async (q) => {
    const task = await lockTask(q, attempt.taskId)
    await acceptAttempt(q, task, attempt, { at: deps.clock.now(), remoteId, dueInMs: 0 })
  })
}

const NOT_CHARGED: Failure = {
  // As `busy`: uncharged, and worth a retry.
  kind: 'busy',
  code: 'OUTCOME_UNKNOWN',
  message: 'An operator found that this attempt was not charged.',
  charged: 'NO',
  isInternal: true,
}

const RESULT_LOST: Failure = {
  kind: 'broken',
  code: 'RESULT_UNREACHABLE',
  message: 'An operator found that this attempt was charged and that its result is lost.',
  charged: 'YES',
  isInternal: true,
}
