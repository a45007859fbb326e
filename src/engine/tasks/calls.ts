// Attaches a request to the call that it repeats, so that a lost result is not paid for twice. See
// decisions/023.
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
  lockCalls,
  removeCalls,
  renewCalls,
  tellCall,
  type CallKey,
  type UndeliveredCall,
} from '../../db/tasks/calls.ts'
import type { CallRow, TaskRow } from '../../db/tables/tables.ts'
import { findTask } from '../../db/tasks/tasks.ts'
import type { CallState } from '../../domain.ts'
import { gatewayErrorOf } from '../../errors.ts'
import { nextTurn } from '../../clock.ts'
import type { Deps } from '../deps.ts'
import { cancelUnsentTask } from './cancel.ts'

/** A request that waits for its result. */
export interface WaitingCall {
  id: string
  /** The API key, or the address of a caller without one. */
  caller: string
  /** UNDELIVERED: to calls whose result did not arrive. RETRIES: only if the client declares a repetition. */
  attach: 'UNDELIVERED' | 'RETRIES' | 'NEVER'
  /** The client declares a repetition: it has no right to a second result. */
  isRetry: boolean
  undeliveredMs: number
  /** Aborts when the client disconnects. */
  gone: AbortSignal
}

export interface ServedCall {
  task: TaskRow
  /** Undefined for a new task. */
  attached?: 'UNDELIVERED' | 'RETRY'
}

/** The client disconnected before its task was committed. */
export class ClientGone extends Error {
  override name = 'ClientGone'
}

interface OpenedCall {
  key: string
  gone: AbortSignal
}

export type Calls = ReturnType<typeof createCalls>

/** A process that does not renew its calls for so long is dead. */
const LEASE_MS = 5_000
const RENEW_MS = 1_000
const POLL_MS = 100
const UNDELIVERED_STATES: CallState[] = ['OPEN', 'UNDELIVERED', 'TOLD_UNKNOWN']
/** Later, what looks like a retry is a new wish. */
const RETRY_MS = 60_000
/** The clients' back-off is shorter. */
const REFUSED_MS = 120_000
const KEPT_MS = 86_400_000

export function createCalls(deps: Deps) {
  const { db, clock, workerId, log } = deps
  // A retry of a refused request has no earlier task.
  const refused = new LRUCache<string, true>({ max: 10_000, ttl: REFUSED_MS })
  const closing = new Set<Promise<void>>()
  /** Whose end is not recorded. */
  const open = new Map<string, OpenedCall>()

  async function record(q: Transaction, key: CallKey, { id }: WaitingCall, taskId: string): Promise<void> {
    await insertCall(q, { ...key, id, taskId, instance: workerId, openedAt: clock.now() }, LEASE_MS)
  }

  /** Its client will not receive its result. */
  function hasLeft({ id, state, instance, isOver }: UndeliveredCall): boolean {
    if (state === 'UNDELIVERED') return true
    // The disconnection is known before it is recorded.
    if (instance === workerId) return open.get(id)?.gone.aborted ?? true
    return instance !== '' && isOver
  }

  function isDue(row: UndeliveredCall, task: TaskRow, { undeliveredMs }: WaitingCall): boolean {
    if (hasLeft(row)) return clock.now() - row.closedAt <= undeliveredMs
    const { status, finishedAt } = task
    return (
      row.state === 'TOLD_UNKNOWN' &&
      status === 'SUCCEEDED' &&
      finishedAt !== null &&
      finishedAt - row.closedAt <= undeliveredMs &&
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
      if (task && isDue(row, task, call) && (await claimCall(q, row.id, UNDELIVERED_STATES))) return task
    }
    return undefined
  }

  /** Undefined if there is no earlier call. Throws ClientGone. */
  async function claim(
    q: Transaction,
    key: CallKey,
    call: WaitingCall,
    mayRepeat: boolean,
  ): Promise<ServedCall | undefined> {
    await lockCalls(q, key)
    if (call.gone.aborted) throw new ClientGone()
    const undelivered = call.attach === 'UNDELIVERED' ? await claimUndelivered(q, key, call) : undefined
    const task = undelivered ?? (mayRepeat ? await claimRecent(q, key) : undefined)
    if (!task) return undefined
    await record(q, key, call, task.id)
    return { task, attached: undelivered ? 'UNDELIVERED' : 'RETRY' }
  }

  /** Until calls of other processes are known to go on, or to have ended. */
  async function noticeOthers(key: CallKey, call: WaitingCall): Promise<void> {
    const others = async () =>
      (await listUndelivered(db.read, key, 0)).filter(
        ({ instance }) => instance !== workerId && instance !== '',
      )
    const first = new Map((await others()).map(({ id, closedAt }) => [id, closedAt]))
    // A process that renews a call is alive.
    for (let isUnsure = first.size > 0; isUnsure && !call.gone.aborted;) {
      await clock.sleep(POLL_MS, call.gone)
      isUnsure = (await others()).some(({ id, closedAt }) => first.get(id) === closedAt)
    }
  }

  /**
   * Takes the place of an earlier call, or creates a task from `prepare`. `close` must follow. Throws
   * ClientGone, and what `prepare` throws.
   */
  async function serve(
    key: CallKey,
    call: WaitingCall,
    prepare: () => Promise<(q: Transaction) => Promise<TaskRow>>,
  ): Promise<ServedCall> {
    const { attach, isRetry, undeliveredMs } = call
    const mayRepeat = attach !== 'NEVER' && isRetry && !refused.delete(keyOf(key))
    open.set(call.id, { key: keyOf(key), gone: call.gone })
    try {
      // Node emits the end of a connection after later data, in the last phase of a turn.
      for (let turn = 0; turn < 2; turn++) await nextTurn()
      if (attach !== 'NEVER') await noticeOthers(key, call)
      const due = attach === 'UNDELIVERED' ? await listUndelivered(db.read, key, 2 * undeliveredMs) : []
      const recent = mayRepeat ? await listRecent(db.read, key, RETRY_MS) : []
      const earlier =
        due.length + recent.length > 0 ? await db.tx((q) => claim(q, key, call, mayRepeat)) : undefined
      if (earlier) return earlier
      const insert = await prepare()
      return await db.tx(async (q) => {
        // Another request may have been committed or given up since.
        const late = await claim(q, key, call, mayRepeat)
        if (late) return late
        const task = await insert(q)
        await record(q, key, call, task.id)
        return { task }
      })
    } catch (error) {
      open.delete(call.id)
      // Without the database, it is unknown whether the task exists.
      if (gatewayErrorOf(error)?.code !== 'SERVICE_UNAVAILABLE') refused.set(keyOf(key), true)
      throw error
    }
  }

  /** Never rejects: a call that could not be closed counts as undelivered. */
  function close(id: string, state: Exclude<CallState, 'OPEN' | 'ATTACHED'>): Promise<void> {
    const known = open.get(id)
    if (known && state === 'UNDELIVERED') known.gone = AbortSignal.abort()
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

  /** If nothing was sent and no other request has attached. */
  async function cancelAbandoned(id: string): Promise<void> {
    const call = await findCall(db.read, id)
    if (call?.state !== 'UNDELIVERED') return
    await cancelUnsentTask(deps, call.projectId, call.taskId, (q) => claimCall(q, id, ['UNDELIVERED']))
  }

  const renew = async () => {
    if (open.size > 0) await db.tx((q) => renewCalls(q, [...open.keys()], LEASE_MS))
  }

  return {
    serve,
    /** Before a caller hears that the outcome is unknown. `close` with the same state follows. */
    tellUnknown: (id: string) => db.tx((q) => tellCall(q, id, LEASE_MS)),
    close,
    cancelAbandoned,
    /** Of all other processes on this SQLite database. */
    abandonOthers: () => db.tx((q) => abandonCalls(q, workerId)),
    renew,
    renewMs: RENEW_MS,
    removeOld: () => db.tx((q) => removeCalls(q, KEPT_MS)),
    /** Resolves when deliveries are recorded. */
    settled: async () => void (await Promise.all(closing)),
  }
}

function keyOf({ projectId, caller, fingerprint }: CallKey): string {
  return `${projectId} ${caller} ${fingerprint}`
}

/**
 * Undefined for a task that failed and certainly cost nothing, which a repeated request may ask for again.
 */
async function findUsable(q: Queries, { projectId, taskId }: CallRow): Promise<TaskRow | undefined> {
  const task = await findTask(q, projectId, taskId)
  if (task?.status !== 'FAILED' && task?.status !== 'CANCELED') return task
  return chargedOfAll(await listAttempts(q, [taskId])) === 'NO' ? undefined : task
}

async function claimRecent(q: Transaction, key: CallKey): Promise<TaskRow | undefined> {
  for (const row of await listRecent(q, key, RETRY_MS)) {
    const task = await findUsable(q, row)
    if (task && (await claimCall(q, row.id, [...UNDELIVERED_STATES, 'DELIVERED']))) return task
  }
  return undefined
}
