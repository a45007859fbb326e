// Callbacks: the address that a provider is given for one attempt, and what it posts there.
import { createHash, randomBytes } from 'node:crypto'
import { findAnyAttempt, QUEUE_KEY } from '../../db/attempts/attempts.ts'
import { findAttemptByCallback, insertCallback } from '../../db/attempts/callbacks.ts'
import type { Transaction } from '../../db/connection/database.ts'
import type { AttemptRow } from '../../db/tables/tables.ts'
import { lockTask } from '../../db/tasks/tasks.ts'
import { ProviderError } from '../../providers/error.ts'
import type { Callback, Provider } from '../../providers/provider.ts'
import type { Deps } from '../deps.ts'
import { findProvider } from '../routing/configured.ts'
import { accept } from './accept.ts'
import { move } from './move.ts'

/** The callback address of one attempt. */
export interface CallbackAddress {
  url: string
  /** The stored hash of its secret: reading the database does not let anyone call back. */
  sha256: string
}

/** A new address with an unguessable secret; undefined for a provider that never calls back or cannot reach this server. */
export function openCallback(
  deps: Pick<Deps, 'callbackBase'>,
  provider: Provider,
): CallbackAddress | undefined {
  const base = provider.receive && deps.callbackBase(provider)
  if (!base) return undefined
  const secret = randomBytes(32).toString('base64url')
  return { url: `${base}/callbacks/${secret}`, sha256: sha256(secret) }
}

/** In lower-case hex. */
function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/** The result of a callback. KEPT: it is stored and the attempt will be checked; its content is not trusted. */
export type CallbackResult = 'KEPT' | 'UNKNOWN_SECRET' | 'TOO_LATE' | 'UNREADABLE'

/** Whether an attempt was ever given an address with this secret. */
export async function knowsCallback({ db }: Pick<Deps, 'db'>, secret: string): Promise<boolean> {
  return (await findAttemptByCallback(db.read, sha256(secret))) !== undefined
}

/** How long after its end the address of an attempt still accepts callbacks. */
const OPEN_FOR_MS = 86_400_000

/**
 * Receives what a provider posted to the address of an attempt: stored durably, then the attempt is due for a check at
 * once. A callback for an attempt whose answer was lost restores its remote id, and with that the attempt.
 */
export async function receiveCallback(
  deps: Pick<Deps, 'db' | 'clock' | 'log' | 'providers'>,
  secret: string,
  body: string,
): Promise<CallbackResult> {
  const attempt = await findAttemptByCallback(deps.db.read, sha256(secret))
  if (!attempt) return 'UNKNOWN_SECRET'
  const now = deps.clock.now()
  if (attempt.finishedAt !== null && attempt.finishedAt < now - OPEN_FOR_MS) return 'TOO_LATE'
  const provider = findProvider(deps.providers, attempt.provider)
  const callback = read(provider, body)
  if (!callback) return 'UNREADABLE'
  const kept = provider ? (provider.hide?.(body) ?? body).replaceAll(secret, '[redacted]') : NOT_KEPT
  await deps.db.tx(async (q) => {
    const row = { attemptId: attempt.id, sha256: sha256(body), body: kept, receivedAt: now }
    if (await insertCallback(q, row)) await hasten(q, deps, attempt, callback.remoteId)
  })
  return 'KEPT'
}

/** Without its provider, the account's secrets that a body may repeat cannot be recognised. */
const NOT_KEPT = '[not kept: the provider was not configured]'

/** What a callback says; undefined for a malformed one. */
function read(provider: Provider | undefined, body: string): Callback | undefined {
  // The configuration has changed since the attempt was sent. Its content is not trusted anyway, so the attempt is checked.
  if (!provider?.receive) return { remoteId: null }
  try {
    return provider.receive(body)
  } catch (error) {
    if (error instanceof ProviderError) return undefined
    throw error
  }
}

async function hasten(
  q: Transaction,
  deps: Pick<Deps, 'clock' | 'log'>,
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
  // Accepted: check now. Still sending: the submit's own answer will find the callback.
  if (await move(q, attempt.id, 'wait', due)) return
  const now = await findAnyAttempt(q, attempt.id)
  if (remoteId !== null && now?.state === 'UNKNOWN') await accept(q, task, now, { ...due, remoteId })
}
