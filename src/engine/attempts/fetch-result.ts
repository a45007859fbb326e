import { listAddresses } from '../../db/attempts/addresses.ts'
import { FETCH_KEY, findAttempt } from '../../db/attempts/attempts.ts'
import type { AttemptRow } from '../../db/tables/tables.ts'
import { lockTask } from '../../db/tasks/tasks.ts'
import { GatewayError, notFound } from '../../errors.ts'
import { deciderOf, recordDecision, type Access } from '../access/access.ts'
import type { Deps } from '../deps.ts'
import { applyTransition } from './apply-transition.ts'

/**
 * Makes the stored addresses of an attempt due now, also after its end, for the next worker. Audited. Throws
 * NOT_FOUND, and CONFLICT for an attempt without an address.
 */
export async function fetchResult(
  deps: Pick<Deps, 'db' | 'clock'>,
  by: Access,
  id: string,
): Promise<AttemptRow> {
  const at = deps.clock.now()
  return deps.db.tx(async (q) => {
    const found = await findAttempt(q, by.projectId, id)
    if (!found) throw notFound('attempt', id, 'id')
    await lockTask(q, found.taskId)
    const [address] = await listAddresses(q, [id])
    // A download in progress keeps its lease.
    const due = { at, dueInMs: 0, keepsLease: true }
    const scheduled = address && (await applyTransition(q, id, 'scheduleFetch', due))
    if (!scheduled) {
      const message = `${id} is ${found.state} and has no address of an image that is not stored.`
      throw new GatewayError('CONFLICT', message, { field: 'id' })
    }
    await recordDecision(q, deciderOf(by), {
      projectId: by.projectId,
      at,
      action: 'fetchResult',
      subject: id,
      detail: {},
    })
    q.wakeUp(FETCH_KEY)
    return scheduled
  })
}
