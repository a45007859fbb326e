// Attaches a request to the call that it repeats, so that a result that was lost on its way is not paid for twice. See decisions/023.
import { LRUCache } from 'lru-cache'
import { listAttempts } from '../../db/attempts/attempts.ts'
import { chargedOfAll } from '../../db/attempts/totals.ts'
import type { Queries, Transaction } from '../../db/connection/database.ts'
import {
  abandonCalls,
  claimCall,
  closeCall,
  findCall,
  insertCall,
  listRecent,
  listUndelivered,
  removeCalls,
  renewCalls,
  type CallKey,
} from '../../db/tasks/calls.ts'
import type { CallRow, TaskRow } from '../../db/tables/tables.ts'
import { findTask } from '../../db/tasks/tasks.ts'
import type { CallState } from '../../domain.ts'
import type { Deps } from '../deps.ts'
import { cancelUnsentTask } from './cancel.ts'

/** A request that waits for its result. */
export interface WaitingCall {
  id: string
  /** The API key, or the address of a caller without one. */
  caller: string
  /** UNDELIVERED: to calls whose result did not arrive. RETRIES: only if the client says that it repeats a call. */
  attach: 'UNDELIVERED' | 'RETRIES' | 'NEVER'
  /** The client says that it repeats a call: it has no right to a second result. */
  isRetry: boolean
  undeliveredMs: number
}

export interface AttachedCall {
  task: TaskRow
  attached: 'UNDELIVERED' | 'RETRY'
}

export type Calls = ReturnType<typeof createCalls>

/** A process that does not renew its calls for so long is dead. */
const LEASE_MS = 5_000
const RENEW_MS = 1_500
/** After a longer time, what looks like a retry of a client is a new wish. */
const RETRY_MS = 60_000
/** The clients' back-off is shorter. */
const REFUSED_MS = 120_000
const KEPT_MS = 86_400_000

export function createCalls(deps: Deps) {
  const { db, clock, workerId, log } = deps
  // A retry of a refused request has no earlier task.
  const refused = new LRUCache<string, true>({ max: 10_000, ttl: REFUSED_MS })
  const closing = new Set<Promise<void>>()
  const open = new Set<string>()

  async function record(
    q: Transaction,
    key: CallKey,
    call: Pick<WaitingCall, 'id'>,
    taskId: string,
  ): Promise<void> {
    const row = { ...key, id: call.id, taskId, instance: workerId, openedAt: clock.now() }
    await insertCall(q, row, LEASE_MS)
    q.afterCommit(() => void open.add(call.id))
  }

  function isDue({ state, closedAt }: CallRow, task: TaskRow, { undeliveredMs }: WaitingCall): boolean {
    if (state !== 'TOLD_UNKNOWN') return clock.now() - closedAt <= undeliveredMs
    const { status, finishedAt } = task
    return (
      status === 'SUCCEEDED' &&
      finishedAt !== null &&
      finishedAt - closedAt <= undeliveredMs &&
      clock.now() - finishedAt <= undeliveredMs
    )
  }

  async function claimUndelivered(
    q: Transaction,
    key: CallKey,
    call: WaitingCall,
  ): Promise<TaskRow | undefined> {
    for (const row of await listUndelivered(q, key, 2 * call.undeliveredMs)) {
      const task = await findUsable(q, row)
      if (task && isDue(row, task, call) && (await claimCall(q, row))) return task
    }
    return undefined
  }

  /** Takes the place of an earlier call. Undefined if there is none, so that the request is a new one. */
  async function attachTo(key: CallKey, call: WaitingCall): Promise<AttachedCall | undefined> {
    const { attach, isRetry, undeliveredMs } = call
    if (attach === 'NEVER') return undefined
    const mayRepeat = isRetry && !refused.delete(keyOf(key))
    // What the last client did not receive may not be recorded yet.
    await Promise.all(closing)
    const due = attach === 'UNDELIVERED' ? await listUndelivered(db.read, key, 2 * undeliveredMs) : []
    const recent = mayRepeat ? await listRecent(db.read, key, RETRY_MS) : []
    if (due.length + recent.length === 0) return undefined
    return db.tx(async (q) => {
      const undelivered = attach === 'UNDELIVERED' ? await claimUndelivered(q, key, call) : undefined
      const task = undelivered ?? (mayRepeat ? await claimRecent(q, key) : undefined)
      if (!task) return undefined
      await record(q, key, call, task.id)
      return { task, attached: undelivered ? 'UNDELIVERED' : 'RETRY' }
    })
  }

  /** Never rejects: a call that could not be closed counts as undelivered when its process ends. */
  function close(id: string, state: Exclude<CallState, 'OPEN' | 'ATTACHED'>): Promise<void> {
    const closed = db
      .tx((q) => closeCall(q, id, state))
      .catch((error: unknown) => log.error({ call: id, err: error }, 'recording a delivery failed'))
      .finally(() => {
        open.delete(id)
        closing.delete(closed)
      })
    closing.add(closed)
    return closed
  }

  /** Cancels the task of an undelivered call if nothing was sent and no other request has attached to it. */
  async function cancelAbandoned(id: string): Promise<void> {
    const call = await findCall(db.read, id)
    if (call?.state !== 'UNDELIVERED') return
    await cancelUnsentTask(deps, call.projectId, call.taskId, (q) => claimCall(q, call))
  }

  const renew = async () => {
    if (open.size > 0) await db.tx((q) => renewCalls(q, [...open], LEASE_MS))
  }

  return {
    attach: attachTo,
    record,
    close,
    cancelAbandoned,
    /** A retry of this request is a new one. */
    noteRefused: (key: CallKey) => void refused.set(keyOf(key), true),
    /** Of all other processes that used this SQLite database. */
    abandonOthers: () => db.tx((q) => abandonCalls(q, workerId)),
    renew,
    renewMs: RENEW_MS,
    removeOld: () => db.tx((q) => removeCalls(q, KEPT_MS)),
    /** Resolves when all deliveries are recorded. */
    settled: async () => void (await Promise.all(closing)),
  }
}

function keyOf({ projectId, caller, fingerprint }: CallKey): string {
  return `${projectId} ${caller} ${fingerprint}`
}

/** Undefined for a task that a repeated request may ask for again: it failed, and certainly cost nothing. */
async function findUsable(q: Queries, { projectId, taskId }: CallRow): Promise<TaskRow | undefined> {
  const task = await findTask(q, projectId, taskId)
  if (task?.status !== 'FAILED' && task?.status !== 'CANCELED') return task
  return chargedOfAll(await listAttempts(q, [taskId])) === 'NO' ? undefined : task
}

async function claimRecent(q: Transaction, key: CallKey): Promise<TaskRow | undefined> {
  for (const row of await listRecent(q, key, RETRY_MS)) {
    const task = await findUsable(q, row)
    if (task && (await claimCall(q, row))) return task
  }
  return undefined
}
