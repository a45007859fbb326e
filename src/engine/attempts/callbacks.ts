import { createHash, randomBytes } from 'node:crypto'
import { findAnyAttempt, QUEUE_KEY } from '../../db/attempts/attempts.ts'
import { findAttemptByCallback, insertCallback, listCallbacks } from '../../db/attempts/callbacks.ts'
import type { Transaction } from '../../db/connection/database.ts'
import type { AttemptRow } from '../../db/tables/tables.ts'
import { lockTask } from '../../db/tasks/tasks.ts'
import { ProviderError } from '../../providers/error.ts'
import type { Callback, Provider } from '../../providers/provider.ts'
import { isStorable } from '../../text.ts'
import type { Deps } from '../deps.ts'
import { findProvider } from '../routing/configured.ts'
import { acceptAttempt, applyTransition } from './apply-transition.ts'

const ACCEPTED_AFTER_END_MS = 86_400_000
/** Per attempt. Further ones only make a check due. */
const MAX_STORED = 10
/** Only the provider's reply to a check is trusted. */
const MAX_STORED_CHARACTERS = 16 * 1024

/**
 * Only the hash of the secret in the URL is stored, so a leaked database lets no one call back. Undefined for
 * a provider without callbacks, or one that cannot reach this server.
 */
export function openCallback(
  deps: Pick<Deps, 'callbackBase'>,
  provider: Provider,
): { url: string; sha256: string } | undefined {
  const base = provider.readCallback && deps.callbackBase(provider)
  if (!base) return undefined
  const secret = randomBytes(32).toString('base64url')
  return { url: `${base}/callbacks/${secret}`, sha256: sha256(secret) }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/** STORED: the attempt will be checked; the content is not trusted. */
export type CallbackResult = 'STORED' | 'UNKNOWN_SECRET' | 'TOO_LATE' | 'MALFORMED'

export async function isKnownCallback({ db }: Pick<Deps, 'db'>, secret: string): Promise<boolean> {
  return (await findAttemptByCallback(db.read, sha256(secret))) !== undefined
}

/** Makes the attempt due for a check, and restores a lost remote id. Idempotent. */
export async function receiveCallback(
  deps: Pick<Deps, 'db' | 'clock' | 'log' | 'providers'>,
  secret: string,
  body: string,
): Promise<CallbackResult> {
  const attempt = await findAttemptByCallback(deps.db.read, sha256(secret))
  if (!attempt) return 'UNKNOWN_SECRET'
  const receivedAt = deps.clock.now()
  if (attempt.finishedAt !== null && attempt.finishedAt < receivedAt - ACCEPTED_AFTER_END_MS)
    return 'TOO_LATE'
  const provider = findProvider(deps.providers, attempt.provider)
  const callback = parse(provider, body)
  if (!callback) return 'MALFORMED'
  const stored = provider ? (provider.redact?.(body) ?? body).replaceAll(secret, '[redacted]') : NOT_STORED
  await deps.db.tx(async (q) => {
    const kept = stored.slice(0, MAX_STORED_CHARACTERS).toWellFormed()
    const row = { attemptId: attempt.id, sha256: sha256(body), body: kept, receivedAt }
    const isFull = (await listCallbacks(q, attempt.id)).length >= MAX_STORED
    if (isFull || (await insertCallback(q, row))) await applyCallback(q, deps, attempt, callback.remoteId)
  })
  return 'STORED'
}

/** Only the provider knows which of its secrets a body may repeat. */
const NOT_STORED = '[not kept: the provider was not configured]'

function parse(provider: Provider | undefined, body: string): Callback | undefined {
  // The configuration has changed; the check is due all the same.
  if (!provider?.readCallback) return { remoteId: null }
  try {
    const callback = provider.readCallback(body)
    return callback.remoteId === null || isStorable(callback.remoteId) ? callback : undefined
  } catch (error) {
    if (error instanceof ProviderError) return undefined
    throw error
  }
}

async function applyCallback(
  q: Transaction,
  deps: Pick<Deps, 'clock' | 'log'>,
  attempt: AttemptRow,
  remoteId: string | null,
): Promise<void> {
  if (attempt.remoteId !== null && remoteId !== null && remoteId !== attempt.remoteId) {
    const ids = { attempt: attempt.id, remoteId: attempt.remoteId, received: remoteId }
    deps.log.error(ids, 'callback ignored: it names another remote id')
    return
  }
  const due = { at: deps.clock.now(), dueInMs: 0 }
  q.wakeUp(QUEUE_KEY)
  const task = await lockTask(q, attempt.taskId)
  // While SENDING nothing is due: settling the submit finds the callback.
  if (await applyTransition(q, attempt.id, 'scheduleCheck', { ...due, keepsLease: true })) return
  const current = await findAnyAttempt(q, attempt.id)
  if (remoteId !== null && current?.state === 'UNKNOWN')
    await acceptAttempt(q, task, current, { ...due, remoteId })
}
