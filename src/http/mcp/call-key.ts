// See decisions/024.
import { createHash } from 'node:crypto'
import { chargedOfAll } from '../../db/attempts/totals.ts'
import { listAttempts } from '../../db/attempts/attempts.ts'
import type { TaskRow } from '../../db/tables/tables.ts'
import { findNewestTaskByKeys, findTaskByKey } from '../../db/tasks/tasks.ts'
import type { Caller } from '../../domain.ts'
import { badInput } from '../../errors.ts'
import type { McpContext } from './tool.ts'

interface KeyContext extends Pick<McpContext, 'clock' | 'db'> {
  caller: Caller
}

/** A key of the client, or the prefix of all calls with the same arguments. */
export type CallIdentity = { key: string } | { prefix: string }

/** How long a call with the same arguments returns the task of an earlier one, from its end. */
const ATTACH_MS = 24 * 3_600_000

/** Throws BAD_USER_INPUT. Differs by API key. */
export function identityOf(
  tool: string,
  { idempotency_key: key, ...args }: { idempotency_key?: string | undefined; variant?: number | undefined },
  { projectId, apiKeyId }: Caller,
): CallIdentity {
  if (key !== undefined && args.variant !== undefined)
    throw badInput('variant', 'Pass either variant or idempotency_key, not both.')
  if (key !== undefined) return { key }
  const { variant = 1, ...settings } = args
  const call = JSON.stringify([tool, projectId, apiKeyId, variant, toSorted(settings)])
  return { prefix: `mcp${createHash('sha256').update(call).digest('hex').slice(0, 40)}` }
}

/** Retries may reorder the arguments. */
function toSorted(args: object): [string, unknown][] {
  return Object.entries(args)
    .filter(([name, value]) => value !== undefined && name !== 'wait_seconds')
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
}

/** The newest, however old, also a deleted one. */
export async function findTaskOfCall(
  { db, caller }: Pick<KeyContext, 'db' | 'caller'>,
  identity: CallIdentity,
): Promise<TaskRow | undefined> {
  if ('key' in identity) return findTaskByKey(db.read, caller.projectId, identity.key)
  const bounds = [keyOf(identity.prefix, 0), keyOf(identity.prefix, MAX_NUMBER)] as const
  const task = await findNewestTaskByKeys(db.read, caller.projectId, bounds)
  return task?.idempotencyKey?.startsWith(identity.prefix) ? task : undefined
}

/**
 * Concurrent calls with the same arguments get the same key, in any process: the database admits one, the others get
 * its task.
 */
export async function idempotencyKeyOf(context: KeyContext, identity: CallIdentity): Promise<string> {
  if ('key' in identity) return identity.key
  const { prefix } = identity
  const known = await findTaskOfCall(context, identity)
  if (!known?.idempotencyKey) return keyOf(prefix, 1)
  if (await isRepeated(context, known)) return known.idempotencyKey
  return keyOf(prefix, Number(known.idempotencyKey.slice(prefix.length)) + 1)
}

/** A task without a result and without a possible charge may be tried again. A deleted one has no result any more. */
async function isRepeated({ clock, db }: KeyContext, task: TaskRow): Promise<boolean> {
  const { finishedAt, status, deletedAt } = task
  if (deletedAt !== null) return false
  if (finishedAt === null) return true
  if (clock.now() - finishedAt > ATTACH_MS) return false
  return status === 'SUCCEEDED' || chargedOfAll(await listAttempts(db.read, [task.id])) !== 'NO'
}

const DIGITS = 6
const MAX_NUMBER = 10 ** DIGITS - 1

/** Of one length and without punctuation: every collation sorts them side by side. */
function keyOf(prefix: string, number: number): string {
  return prefix + String(number).padStart(DIGITS, '0')
}
