// How much a project or a key may ask for at a time. Both count: a key's limit cannot lift its project's.
import type { Clock } from '../../clock.ts'
import type { RateCounter } from '../../db/connection/rate-counter.ts'
import type { Transaction } from '../../db/connection/database.ts'
import { countOpenTasks } from '../../db/tasks/tasks.ts'
import { lockLedger } from '../../db/money/spending.ts'
import type { Caller, Limits } from '../../domain.ts'
import { GatewayError } from '../../errors.ts'
import type { Access } from './access.ts'

/** A caller with the limits of its project and key; the default limits apply where they are absent. */
export type CallerWithLimits = Caller & Partial<Pick<Access, 'limits'>>

export interface Limiter {
  /** Counts one operation. Throws RATE_LIMITED when it is one too many, and then it does not count. */
  request(by: CallerWithLimits): Promise<void>
  /** Counts new tasks, then the bytes of the images that arrived with the request. Throws as `request` does. */
  submission(by: CallerWithLimits, counts: { tasks: number; uploadBytes: number }): Promise<void>
  /**
   * Throws RATE_LIMITED when more tasks are queued or running than allowed, the new one included. Call it in the
   * transaction that creates it: the ledger is locked, so that no two transactions take the last place.
   */
  concurrency(q: Transaction, by: CallerWithLimits): Promise<void>
}

/** What is counted by the minute. */
type Rate = 'requestsPerMinute' | 'tasksPerMinute' | 'uploadBytesPerMinute'

/** One limit that counts for a caller. */
interface Bound {
  owner: string
  whose: 'project' | 'API key'
  most: number
}

/** When to ask again where nobody can say: an image takes ten seconds and more. */
const SOME_TIME_MS = 10_000

/** `usual` are the limits of every project that has none of its own; null for none. */
export function createLimiter(counter: RateCounter, clock: Clock, usual: Limits | null): Limiter {
  // Until when a rate is used up: whoever goes on asking is refused without another look.
  const usedUp = new Map<string, number>()
  // How many more tasks fit for certain, by what the last count left: where this process alone makes tasks, on SQLite,
  // fewer may be open by now and never more, but for those that came back from a doubt.
  const fitting = new Map<string, number>()

  function boundsOn({ projectId, apiKeyId, limits }: CallerWithLimits, name: keyof Limits): Bound[] {
    const ofProject = (limits?.project ?? usual)?.[name] ?? null
    const ofKey = limits?.key?.[name] ?? null
    return [
      ...(ofProject === null ? [] : [{ owner: projectId, whose: 'project' as const, most: ofProject }]),
      ...(ofKey === null || apiKeyId === null
        ? []
        : [{ owner: apiKeyId, whose: 'API key' as const, most: ofKey }]),
    ]
  }

  async function take(by: CallerWithLimits, rate: Rate, amount: number): Promise<void> {
    const taken: string[] = []
    for (const bound of boundsOn(by, rate)) {
      const key = `${rate}:${bound.owner}`
      const waitMs = amount > bound.most ? null : await takeOne(key, bound.most, amount)
      if (waitMs === undefined) {
        taken.push(key)
        continue
      }
      for (const other of taken) await counter.add(other, -amount)
      throw tooMuch(rate, bound, amount, waitMs)
    }
  }

  /** How long to wait; undefined when there was enough left. */
  async function takeOne(key: string, most: number, amount: number): Promise<number | undefined> {
    const now = clock.now()
    // A limit that was raised is another one.
    const place = `${key}:${most}`
    const until = usedUp.get(place) ?? 0
    if (until > now) return until - now
    if (until > 0) usedUp.delete(place)
    const { amount: used, endsInMs } = await counter.add(key, amount)
    if (used <= most) return undefined
    await counter.add(key, -amount)
    if (used - amount >= most) usedUp.set(place, now + endsInMs)
    return endsInMs
  }

  /** Whether it fits for certain, and then one less does. */
  function takeFitting(bounds: Bound[]): boolean {
    const left = bounds.map((bound) => fitting.get(placeOf(bound)) ?? 0)
    if (left.some((count) => count <= 0)) return false
    for (const [i, bound] of bounds.entries()) fitting.set(placeOf(bound), left[i]! - 1)
    return true
  }

  return {
    request: (by) => take(by, 'requestsPerMinute', 1),
    async submission(by, { tasks, uploadBytes }) {
      if (tasks > 0) await take(by, 'tasksPerMinute', tasks)
      if (uploadBytes > 0) await take(by, 'uploadBytesPerMinute', uploadBytes)
    },
    async concurrency(q, by) {
      const bounds = boundsOn(by, 'concurrentTasks')
      if (bounds.length === 0 || (q.dialect === 'sqlite' && takeFitting(bounds))) return
      await lockLedger(q, by.projectId)
      const open = await countOpenTasks(q, by, Math.max(...bounds.map(({ most }) => most)) + 1)
      for (const bound of bounds) {
        const { whose, most } = bound
        const count = whose === 'project' ? open.ofProject : open.ofKey
        fitting.set(placeOf(bound), most - count)
        if (count <= most) continue
        throw new GatewayError(
          'RATE_LIMITED',
          `The ${whose} may have ${most} tasks queued or running at a time, and has. Wait until one of them has ended.`,
          { retryAfterMs: SOME_TIME_MS },
        )
      }
    },
  }
}

/** A limit that was raised is another one. */
function placeOf({ owner, most }: Bound): string {
  return `${owner}:${most}`
}

const WORDS: Record<Rate, string> = {
  requestsPerMinute: 'requests',
  tasksPerMinute: 'tasks',
  uploadBytesPerMinute: 'bytes of images',
}

/** `waitMs` is null when waiting does not help. */
function tooMuch(rate: Rate, { whose, most }: Bound, amount: number, waitMs: number | null): GatewayError {
  const may = `The ${whose} may send ${most} ${WORDS[rate]} a minute`
  if (waitMs === null)
    return new GatewayError(
      'RATE_LIMITED',
      `${may}, and this alone is ${amount}. Send less, or have the limit raised.`,
    )
  const seconds = Math.max(1, Math.ceil(waitMs / 1000))
  return new GatewayError('RATE_LIMITED', `${may}. Ask again in ${seconds} s.`, { retryAfterMs: waitMs })
}
