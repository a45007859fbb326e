// The limits of project and key both apply.
import type { Clock } from '../../clock.ts'
import type { RateCounter } from '../../db/connection/rate-counter.ts'
import type { Transaction } from '../../db/connection/database.ts'
import { countOpenTasks } from '../../db/tasks/tasks.ts'
import { lockLedger } from '../../db/money/spending.ts'
import type { Caller, Limits } from '../../domain.ts'
import { GatewayError } from '../../errors.ts'
import type { Access } from './access.ts'

/** The defaults apply without `limits`. */
export type CallerWithLimits = Caller & Partial<Pick<Access, 'limits'>>

export interface Limiter {
  /** Throws RATE_LIMITED above a limit, without counting. */
  countRequest(by: CallerWithLimits): Promise<void>
  /** Throws as `countRequest`. */
  countSubmission(by: CallerWithLimits, counts: { tasks: number; uploadBytes: number }): Promise<void>
  /**
   * Throws RATE_LIMITED above the limit, the new task included. Call it in the transaction that creates the
   * task: its lock on the ledger keeps concurrent ones within the limit.
   */
  checkConcurrency(q: Transaction, by: CallerWithLimits): Promise<void>
}

type Rate = 'requestsPerMinute' | 'tasksPerMinute' | 'uploadBytesPerMinute'

interface Bound {
  owner: string
  whose: 'project' | 'API key'
  max: number
}

/** An image takes at least ten seconds. */
const DEFAULT_RETRY_MS = 10_000

/** `defaults`: of projects without their own. */
export function createLimiter(counter: RateCounter, clock: Clock, defaults: Limits | null): Limiter {
  // So that further refusals cost no count.
  const exhaustedUntil = new Map<string, number>()
  // Tasks certainly allowed, by the last count. On SQLite only this process creates tasks: no more are open
  // now, except after an unknown outcome was resolved.
  const remaining = new Map<string, number>()

  function boundsOn({ projectId, apiKeyId, limits }: CallerWithLimits, name: keyof Limits): Bound[] {
    const ofProject = (limits?.project ?? defaults)?.[name] ?? null
    const ofKey = limits?.key?.[name] ?? null
    return [
      ...(ofProject === null ? [] : [{ owner: projectId, whose: 'project' as const, max: ofProject }]),
      ...(ofKey === null || apiKeyId === null
        ? []
        : [{ owner: apiKeyId, whose: 'API key' as const, max: ofKey }]),
    ]
  }

  async function take(by: CallerWithLimits, rate: Rate, amount: number): Promise<void> {
    const taken: string[] = []
    for (const bound of boundsOn(by, rate)) {
      const key = `${rate}:${bound.owner}`
      const waitMs = amount > bound.max ? null : await takeOne(key, bound.max, amount)
      if (waitMs === undefined) {
        taken.push(key)
        continue
      }
      for (const other of taken) await counter.add(other, -amount)
      throw rateExceeded(rate, bound, amount, waitMs)
    }
  }

  /** Milliseconds to wait; undefined if allowed. */
  async function takeOne(key: string, max: number, amount: number): Promise<number | undefined> {
    const now = clock.monotonic()
    // A raised limit applies at once.
    const bound = `${key}:${max}`
    const until = exhaustedUntil.get(bound) ?? -Infinity
    if (until > now) return until - now
    if (until > -Infinity) exhaustedUntil.delete(bound)
    const { amount: used, endsInMs } = await counter.add(key, amount)
    if (used <= max) return undefined
    await counter.add(key, -amount)
    if (used - amount >= max) exhaustedUntil.set(bound, now + endsInMs)
    return endsInMs
  }

  function takeRemaining(bounds: Bound[]): boolean {
    const counts = bounds.map((bound) => remaining.get(keyOf(bound)) ?? 0)
    if (counts.some((count) => count <= 0)) return false
    for (const [i, bound] of bounds.entries()) remaining.set(keyOf(bound), counts[i]! - 1)
    return true
  }

  return {
    countRequest: (by) => take(by, 'requestsPerMinute', 1),
    async countSubmission(by, { tasks, uploadBytes }) {
      if (tasks > 0) await take(by, 'tasksPerMinute', tasks)
      if (uploadBytes > 0) await take(by, 'uploadBytesPerMinute', uploadBytes)
    },
    async checkConcurrency(q, by) {
      const bounds = boundsOn(by, 'concurrentTasks')
      if (bounds.length === 0 || (q.dialect === 'sqlite' && takeRemaining(bounds))) return
      await lockLedger(q, by.projectId)
      const open = await countOpenTasks(q, by, Math.max(...bounds.map(({ max }) => max)) + 1)
      for (const bound of bounds) {
        const { whose, max } = bound
        const count = whose === 'project' ? open.ofProject : open.ofKey
        remaining.set(keyOf(bound), max - count)
        if (count <= max) continue
        const limit = `The ${whose} may have ${max} tasks queued or running at a time`
        const message = `${limit}. Wait until one of them has ended.`
        throw new GatewayError('RATE_LIMITED', message, { retryAfterMs: DEFAULT_RETRY_MS })
      }
    },
  }
}

/** With the limit: a raised one applies at once. */
function keyOf({ owner, max }: Bound): string {
  return `${owner}:${max}`
}

const UNITS: Record<Rate, string> = {
  requestsPerMinute: 'requests',
  tasksPerMinute: 'tasks',
  uploadBytesPerMinute: 'bytes of images',
}

/** Null: waiting does not help. */
function rateExceeded(rate: Rate, { whose, max }: Bound, amount: number, waitMs: number | null) {
  const limit = `The ${whose} may send ${max} ${UNITS[rate]} a minute`
  const tooLarge = `${limit}; this request alone has ${amount}. Send less, or have the limit raised.`
  if (waitMs === null) return new GatewayError('RATE_LIMITED', tooLarge)
  const seconds = Math.max(1, Math.ceil(waitMs / 1000))
  return new GatewayError('RATE_LIMITED', `${limit}. Try again in ${seconds} s.`, { retryAfterMs: waitMs })
}
