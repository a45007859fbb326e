import { findAttempt } from '../../db/attempts/attempts.ts'
import { insertAudit } from '../../db/access/audit.ts'
import type { AttemptRow } from '../../db/tables/tables.ts'
import { lockTask } from '../../db/tasks/tasks.ts'
import { badInput, GatewayError } from '../../errors.ts'
import { newId } from '../../ids.ts'
import type { Failure } from '../../providers/error.ts'
import { accept } from './accept.ts'
import type { Deps } from '../deps.ts'
import { settle } from './settle.ts'

/** What an operator found out about an attempt whose outcome was unknown. */
export type Resolution =
  | { is: 'NOT_CHARGED' }
  | { is: 'CHARGED_RESULT_LOST' }
  | { is: 'ADOPT_REMOTE_ID'; remoteId: string }

/**
 * Ends the doubt about an attempt by the word of an operator, on record. NOT_CHARGED gives its permit back, and its part
 * is tried again; CHARGED_RESULT_LOST ends it as paid for nothing; ADOPT_REMOTE_ID has the provider asked about it.
 * Throws NOT_FOUND, CONFLICT for an attempt that is not UNKNOWN, and BAD_USER_INPUT for a provider that cannot be asked.
 */
export async function resolveAttempt(
  deps: Deps,
  projectId: string,
  id: string,
  resolution: Resolution,
  note: string | null,
): Promise<AttemptRow> {
  const attempt = await findAttempt(deps.db.read, projectId, id)
  if (!attempt)
    throw new GatewayError('NOT_FOUND', `There is no attempt ${JSON.stringify(id.slice(0, 60))}.`, {
      field: 'id',
    })
  if (attempt.state !== 'UNKNOWN') {
    throw new GatewayError(
      'CONFLICT',
      `${id} is ${attempt.state}; only an attempt whose outcome is UNKNOWN can be resolved.`,
      { field: 'id' },
    )
  }
  if (resolution.is === 'ADOPT_REMOTE_ID') await adopt(deps, attempt, resolution.remoteId)
  else if (resolution.is === 'NOT_CHARGED') await end(deps, attempt, { failure: NOT_CHARGED })
  // Nobody will tell its cost any more: the most it could be is posted.
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
  deps: Deps,
  attempt: AttemptRow,
  how: { failure: Failure; costMicros?: number | null },
): Promise<void> {
  const task = await deps.db.tx((q) => lockTask(q, attempt.taskId))
  const { wirePhase, httpStatus, providerRequestId } = attempt
  await settle(
    deps,
    { task, attempt, evidence: { wirePhase, httpStatus, providerRequestId } },
    { is: 'FAILED', ...how },
  )
}

async function adopt(deps: Deps, attempt: AttemptRow, remoteId: string): Promise<void> {
  const provider = deps.providers.find(({ name }) => name === attempt.provider)
  if (!provider?.check)
    throw badInput('remoteId', `${attempt.provider} cannot be asked about what it accepted.`)
  await deps.db.tx(async (q) => {
    const task = await lockTask(q, attempt.taskId)
    await accept(q, task, attempt, { at: deps.clock.now(), remoteId, dueInMs: 0 })
  })
}

const NOT_CHARGED: Failure = {
  // As if the provider had been busy: nothing was charged, and trying again is right.
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
