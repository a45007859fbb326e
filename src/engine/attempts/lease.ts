import { QUEUE_KEY, type Lease } from '../../db/attempts/attempts.ts'
import type { AttemptRow } from '../../db/tables/tables.ts'
import type { Deps } from '../deps.ts'
import { move } from './move.ts'

/** The columns of an attempt that nobody works on. */
export const NO_LEASE = { leaseOwner: null, leaseUntil: null }

/** The claim under which an attempt was read: a write that carries it changes nothing once the claim is lost. */
export function leaseOf({ leaseOwner, leaseEpoch }: AttemptRow): Lease {
  return { owner: leaseOwner!, epoch: leaseEpoch }
}

/** Gives an attempt back that was claimed and not sent, or is to be asked about: it is due at once, for anybody. */
export async function release(deps: Deps, attempt: AttemptRow): Promise<void> {
  const trigger = attempt.state === 'LEASED' ? 'release' : 'wait'
  const at = deps.clock.now()
  await deps.db.tx(async (q) => {
    await move(q, attempt.id, trigger, { at, lease: leaseOf(attempt), ...NO_LEASE, dueInMs: 0 })
    q.wakeUp(QUEUE_KEY)
  })
}
