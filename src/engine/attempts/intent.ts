import { countCharges } from '../../db/attempts/counts.ts'
import { appendEvents } from '../../db/tasks/events.ts'
import type { AttemptRow, TaskRow } from '../../db/tables/tables.ts'
import { takePermit } from '../../db/tasks/tasks.ts'
import type { Deps } from '../deps.ts'
import { leaseOf, move } from './move.ts'

/**
 * The write-ahead intent: permit, state and event are durable before the first byte can leave. SEND, once it is; else
 * why not: NO_PERMIT when the task was canceled, has ended or has no charge left for this part, NO_LEASE when another worker has the attempt now.
 */
export async function commitIntent(
  deps: Pick<Deps, 'db' | 'clock'>,
  task: TaskRow,
  attempt: AttemptRow,
  callbackSha256: string | null,
): Promise<'SEND' | 'NO_PERMIT' | 'NO_LEASE'> {
  const sentAt = deps.clock.now()
  const lease = leaseOf(attempt)
  try {
    return await deps.db.tx(async (q) => {
      if (!(await takePermit(q, task.id, sentAt))) return 'NO_PERMIT'
      // Thrown from here on, so that the permit rolls back.
      if ((await countCharges(q, task.id, attempt.part)) >= task.maxCharges) throw new Refused('NO_PERMIT')
      const set = { wirePhase: 'INTENT' as const, sentAt, callbackSha256 }
      const sending = await move(q, attempt.id, 'send', { at: sentAt, lease, ...set })
      if (!sending) throw new Refused('NO_LEASE')
      await appendEvents(q, task, [{ type: 'ATTEMPT_STARTED', attemptId: attempt.id }], sentAt)
      return 'SEND'
    })
  } catch (error) {
    if (error instanceof Refused) return error.why
    throw error
  }
}

class Refused extends Error {
  readonly why: 'NO_PERMIT' | 'NO_LEASE'

  constructor(why: 'NO_PERMIT' | 'NO_LEASE') {
    super(why)
    this.why = why
  }
}
