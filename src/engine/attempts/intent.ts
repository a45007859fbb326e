import { countCharges } from '../../db/attempts/counts.ts'
import { appendEvents } from '../../db/tasks/events.ts'
import type { AttemptRow, TaskRow } from '../../db/tables/tables.ts'
import { takePermit } from '../../db/tasks/tasks.ts'
import type { Deps } from '../deps.ts'
import { applyTransition, leaseOf } from './apply-transition.ts'

/**
 * The write-ahead intent: permit, state and event are durable before the first byte can leave. NO_PERMIT when
 * the task was canceled, has ended or has no charge left for this part.
 */
export async function commitIntent(
  deps: Pick<Deps, 'db' | 'clock'>,
  task: TaskRow,
  attempt: AttemptRow,
  callbackSha256: string | null,
): Promise<'COMMITTED' | IntentRefusal> {
  const at = deps.clock.now()
  const lease = leaseOf(attempt)
  try {
    return await deps.db.tx(async (q) => {
      const lastSeq = await takePermit(q, task.id, { now: at, events: 1 })
      if (lastSeq === undefined) return 'NO_PERMIT'
      // From here on a refusal is thrown, so that the permit rolls back.
      if ((await countCharges(q, task.id, attempt.part)) >= task.maxCharges) throw new Rollback('NO_PERMIT')
      const intent = { wirePhase: 'INTENT' as const, sentAt: at, callbackSha256 }
      if (!(await applyTransition(q, attempt.id, 'send', { at, lease, keepsLease: true, ...intent })))
        throw new Rollback('LEASE_LOST')
      await appendEvents(q, task, [{ type: 'ATTEMPT_STARTED', attemptId: attempt.id }], at, lastSeq)
      return 'COMMITTED'
    })
  } catch (error) {
    if (error instanceof Rollback) return error.refusal
    throw error
  }
}

type IntentRefusal = 'NO_PERMIT' | 'LEASE_LOST'

class Rollback extends Error {
  readonly refusal: IntentRefusal

  constructor(refusal: IntentRefusal) {
    super(refusal)
    this.refusal = refusal
  }
}
