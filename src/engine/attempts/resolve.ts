import { findAttempt } from '../../db/attempts/attempts.ts'
import { insertAudit } from '../../db/access/audit.ts'
import type { AttemptRow } from '../../db/tables/tables.ts'
import { lockTask } from '../../db/tasks/tasks.ts'
import { badInput, GatewayError, notFound } from '../../errors.ts'
import { newId } from '../../ids.ts'
import type { Failure } from '../../providers/error.ts'
import type { Deps } from '../deps.ts'
import { findProvider } from '../routing/configured.ts'
import { accept } from './accept.ts'
import { storedEvidence } from './outcome.ts'
import { settle, type SettleDeps } from './settle.ts'

/** What an operator learned about an attempt whose outcome was unknown. */
export type Resolution =
  | { is: 'NOT_CHARGED' }
  | { is: 'CHARGED_RESULT_LOST' }
  | { is: 'ADOPT_REMOTE_ID'; remoteId: string }

/**
 * Resolves an attempt whose outcome is UNKNOWN, based on what the operator learned from the provider. Audited.
 * NOT_CHARGED returns its permit, and its part is tried again; CHARGED_RESULT_LOST ends it as charged without a result;
 * ADOPT_REMOTE_ID makes it due for a check. Throws NOT_FOUND, CONFLICT for an attempt that is not UNKNOWN, and
 * BAD_USER_INPUT for a provider that cannot be checked.
 */
export async function resolveAttempt(
  deps: SettleDeps,
  projectId: string,
  id: string,
  resolution: Resolution,
  note: string | null,
): Promise<AttemptRow> {
  const attempt = await findAttempt(deps.db.read, projectId, id)
  if (!attempt) throw notFound('attempt', id, 'id')
  if (attempt.state !== 'UNKNOWN') {
    throw new GatewayError(
      'CONFLICT',
      `${id} is ${attempt.state}; only an attempt whose outcome is UNKNOWN can be resolved.`,
      { field: 'id' },
    )
  }
  if (resolution.is === 'ADOPT_REMOTE_ID') await adopt(deps, attempt, resolution.remoteId)
  else if (resolution.is === 'NOT_CHARGED') await end(deps, attempt, { failure: NOT_CHARGED })
  // Its cost will not be reported any more: the worst case is posted.
  else await end(deps, attempt, { failure: RESULT_LOST, costMicros: attempt.heldMicros })
  const at = deps.clock.now()
  await deps.db.tx((q) =>
    insertAudit(q, {
      id: newId('aud', at),
      projectId,
      at,
      action: 'resolveAttempt',
      subject: id,
      detail: { ...resolution, note },
    }),
  )
  return (await findAttempt(deps.db.read, projectId, id))!
}

async function end(
  deps: SettleDeps,
  attempt: AttemptRow,
  how: { failure: Failure; costMicros?: number | null },
): Promise<void> {
  const task = await deps.db.tx((q) => lockTask(q, attempt.taskId))
  await settle(deps, { task, attempt, evidence: storedEvidence(attempt) }, { is: 'FAILED', ...how })
}

async function adopt(
  deps: Pick<Deps, 'db' | 'clock' | 'providers'>,
  attempt: AttemptRow,
  remoteId: string,
): Promise<void> {
  const provider = findProvider(deps.providers, attempt.provider)
  if (!provider?.check)
    throw badInput('remoteId', `${attempt.provider} cannot be asked about what it accepted.`)
  await deps.db.tx(async (q) => {
    const task = await lockTask(q, attempt.taskId)
    await accept(q, task, attempt, { at: deps.clock.now(), remoteId, dueInMs: 0 })
  })
}

const NOT_CHARGED: Failure = {
  // As `busy`: nothing was charged, and another try is right.
  kind: 'busy',
  code: 'OUTCOME_UNKNOWN',
  message: 'An operator found that this attempt was not charged.',
  charged: 'NO',
  ours: true,
}

const RESULT_LOST: Failure = {
  kind: 'broken',
  code: 'RESULT_UNREACHABLE',
  message: 'An operator found that this attempt was charged and that its result is lost.',
  charged: 'YES',
  ours: true,
}
