import { claimDue, findNextDueMs, QUEUE_KEY } from '../db/attempts.ts'
import type { AttemptRow } from '../db/tables.ts'
import type { Deps } from './deps.ts'
import { takeStep } from './step.ts'

export interface Runner {
  /** Claims what is due and works on it until `stopClaiming` aborts. Resolves when it claims no more. */
  run(stopClaiming: AbortSignal): Promise<void>
  /** Resolves when no step is under way. */
  idle(): Promise<void>
  /** How many steps are under way. */
  active(): number
}

/**
 * The loop: claim what is due, as many per provider as it has room for, take a step of each, sleep until the next is
 * due or a poke. `stop` ends the calls that are under way.
 */
export function createRunner(deps: Deps, stop: AbortSignal): Runner {
  const { db, providers, pokes, tuning, workerId, log } = deps
  const underWay = new Map<string, Set<Promise<void>>>(providers.map(({ name }) => [name, new Set()]))
  // A step that ends makes room, which is a reason to look again.
  const room = () => pokes.wake(QUEUE_KEY)

  function start(attempt: AttemptRow): void {
    const steps = underWay.get(attempt.provider)!
    const step = takeStep(deps, attempt, stop)
      .catch((error: unknown) => log.error({ attempt: attempt.id, err: error }, 'a step could not be settled; its lease will run out'))
      .finally(() => {
        steps.delete(step)
        room()
      })
    steps.add(step)
  }

  function free(): { provider: string; limit: number }[] {
    return providers
      .map(({ name, concurrency }) => ({ provider: name, limit: concurrency - underWay.get(name)!.size }))
      .filter(({ limit }) => limit > 0)
  }

  /** How long to sleep: 0 when more may be due already. */
  async function claim(): Promise<number> {
    const open = free()
    if (open.length === 0) return tuning.pollMs
    const names = open.map(({ provider }) => provider)
    const inMs = await findNextDueMs(db.read, names)
    if (inMs === undefined || inMs > 0) return Math.min(inMs ?? tuning.pollMs, tuning.pollMs)
    const claimed = await db.tx(async (q) => {
      const all: AttemptRow[] = []
      for (const { provider, limit } of open) {
        all.push(...(await claimDue(q, { provider, limit, owner: workerId, leaseMs: tuning.leaseMs })))
      }
      return all
    })
    for (const attempt of claimed) start(attempt)
    // Somebody else was faster: no reason to run in circles.
    return claimed.length > 0 ? 0 : Math.min(50, tuning.pollMs)
  }

  return {
    async run(stopClaiming) {
      const waiter = pokes.wait(QUEUE_KEY)
      while (!stopClaiming.aborted) {
        const sleepMs = await claim().catch(async (error: unknown) => {
          log.error({ err: error }, 'cannot claim attempts; trying again')
          return tuning.pollMs
        })
        if (sleepMs > 0) await waiter.next(sleepMs, stopClaiming)
      }
      waiter.close()
    },

    async idle() {
      while ([...underWay.values()].some(({ size }) => size > 0)) {
        await Promise.all([...underWay.values()].flatMap((steps) => [...steps]))
      }
    },

    active: () => [...underWay.values()].reduce((sum, { size }) => sum + size, 0),
  }
}
