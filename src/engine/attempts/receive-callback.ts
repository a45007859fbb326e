import { findAnyAttempt, QUEUE_KEY } from '../../db/attempts/attempts.ts'
import { findAttemptByCallback, insertCallback } from '../../db/attempts/callbacks.ts'
import type { Transaction } from '../../db/connection/database.ts'
import type { AttemptRow } from '../../db/tables/tables.ts'
import { lockTask } from '../../db/tasks/tasks.ts'
import { ProviderError } from '../../providers/error.ts'
import type { Callback, Provider } from '../../providers/provider.ts'
import { accept } from './accept.ts'
import type { Deps } from '../deps.ts'
import { sha256 } from './callback.ts'
import { move } from './move.ts'

/** What became of a callback. KEPT: it is stored, and the attempt will be looked at; what it says is not believed. */
export type CallbackResult = 'KEPT' | 'UNKNOWN_SECRET' | 'TOO_LATE' | 'UNREADABLE'

/** Whether an attempt was given an address with this secret, be it long ago. */
export async function knowsCallback({ db }: Pick<Deps, 'db'>, secret: string): Promise<boolean> {
  return (await findAttemptByCallback(db.read, sha256(secret))) !== undefined
}

/** How long after its end an attempt's address still answers. */
const OPEN_FOR_MS = 86_400_000

/**
 * Takes in what an upstream posted to an attempt's own address: kept durably, then the attempt is due for a check at
 * once. A callback for an attempt whose answer was lost brings its remote id back, and with that the attempt.
 */
export async function receiveCallback(deps: Deps, secret: string, body: string): Promise<CallbackResult> {
  const attempt = await findAttemptByCallback(deps.db.read, sha256(secret))
  if (!attempt) return 'UNKNOWN_SECRET'
  const now = deps.clock.now()
  if (attempt.finishedAt !== null && attempt.finishedAt < now - OPEN_FOR_MS) return 'TOO_LATE'
  const provider = deps.providers.find(({ name }) => name === attempt.provider)
  const callback = read(provider, body)
  if (!callback) return 'UNREADABLE'
  const kept = (provider?.hide?.(body) ?? body).replaceAll(secret, '[redacted]')
  await deps.db.tx(async (q) => {
    const row = { attemptId: attempt.id, sha256: sha256(body), body: kept, receivedAt: now }
    if (await insertCallback(q, row)) await hasten(q, deps, attempt, callback.remoteId)
  })
  return 'KEPT'
}

function read(provider: Provider | undefined, body: string): Callback | undefined {
  try {
    return provider?.receive?.(body)
  } catch (error) {
    if (error instanceof ProviderError) return undefined
    throw error
  }
}

async function hasten(
  q: Transaction,
  deps: Deps,
  attempt: AttemptRow,
  remoteId: string | null,
): Promise<void> {
  if (attempt.remoteId !== null && remoteId !== null && remoteId !== attempt.remoteId) {
    deps.log.error(
      { attempt: attempt.id, remoteId },
      'a callback names another remote id than the one we hold; it is ignored',
    )
    return
  }
  const due = { at: deps.clock.now(), dueInMs: 0 }
  q.wakeUp(QUEUE_KEY)
  const task = await lockTask(q, attempt.taskId)
  // Waiting already: look now. Still sending: the submit's own answer will find the callback.
  if (await move(q, attempt.id, 'wait', due)) return
  const now = await findAnyAttempt(q, attempt.id)
  if (remoteId !== null && now?.state === 'UNKNOWN') await accept(q, task, now, { ...due, remoteId })
}
