import { findNextDueMs, QUEUE_KEY } from '../../db/attempts/attempts.ts'
import { listCooldowns } from '../../db/providers/cooldowns.ts'
import type { AttemptRow } from '../../db/tables/tables.ts'
import type { Provider } from '../../providers/provider.ts'
import type { Deps, ShutdownSignals } from '../deps.ts'
import { capacitiesOf, type Capacity } from './capacity.ts'
import { claimDue } from './claim.ts'
import type { Readiness } from './readiness.ts'
import { takeStep, type StepDeps } from './step.ts'

export type RunnerDeps = StepDeps & Pick<Deps, 'wakeUps' | 'workerId'>

export interface Runner {
  /** Claims what is due and works on it until `stopClaiming` aborts. Resolves when it claims no more. */
  run(stopClaiming: AbortSignal): Promise<void>
  /** Resolves when no step is under way. */
  idle(): Promise<void>
  /** The attempts that are being worked on: their leases are to be kept. */
  held(): string[]
}

/** A step that is under way. */
interface Step {
  attempt: AttemptRow
  done: Promise<void>
}

/** How many of the steps are for each project. */
function countByProject(steps: ReadonlyMap<string, Step>): Map<string, number> {
  const counts = new Map<string, number>()
  for (const { attempt } of steps.values())
    counts.set(attempt.projectId, (counts.get(attempt.projectId) ?? 0) + 1)
  return counts
}

/**
 * The loop: claim what is due, as many per provider as it has free places, take a step of each, sleep until the next is
 * due or a wake-up. While no image can be stored nothing is sent, and accepted attempts are still checked.
 */
export function createRunner(
  deps: RunnerDeps,
  signals: ShutdownSignals,
  readiness: Pick<Readiness, 'storageProblem'>,
): Runner {
  const { db, providers, wakeUps, tuning, workerId, log } = deps
  // By provider and attempt.
  const underWay = new Map<string, Map<string, Step>>(providers.map(({ name }) => [name, new Map()]))
  function start(attempt: AttemptRow): void {
    const steps = underWay.get(attempt.provider)!
    const done = takeStep(deps, attempt, signals)
      .catch((error: unknown) =>
        log.error({ attempt: attempt.id, err: error }, 'a step could not be settled; its lease will run out'),
      )
      .finally(() => {
        steps.delete(attempt.id)
        // A place is free: a reason to look again.
        wakeUps.wake(QUEUE_KEY)
      })
    steps.set(attempt.id, { attempt, done })
  }

  function freeAt({ name, concurrency }: Provider): number {
    return concurrency - underWay.get(name)!.size
  }

  /** What may be claimed now, at each provider with free places. */
  async function listCapacities(): Promise<Capacity[]> {
    const cooldowns = await listCooldowns(db.read)
    return providers
      .flatMap((provider) => {
        const steps = [...underWay.get(provider.name)!.values()].map(({ attempt }) => attempt)
        const sending = steps.filter(({ state }) => state === 'LEASED').map(({ model }) => model)
        return capacitiesOf(provider.name, freeAt(provider), sending, cooldowns)
      })
      .filter(({ limit }) => limit > 0)
  }

  async function claimAll(capacities: Capacity[]): Promise<AttemptRow[]> {
    return db.tx(async (q) => {
      const all: AttemptRow[] = []
      const left = new Map(providers.map((provider) => [provider.name, freeAt(provider)]))
      for (const capacity of capacities) {
        const { provider } = capacity
        const limit = Math.min(capacity.limit, left.get(provider)!)
        if (limit === 0) continue
        const some = await claimDue(q, {
          ...capacity,
          limit,
          owner: workerId,
          leaseMs: tuning.leaseMs,
          underWay: countByProject(underWay.get(provider)!),
        })
        left.set(provider, left.get(provider)! - some.length)
        all.push(...some)
      }
      return all
    })
  }

  /** Claims and starts what is due. Returns how long to sleep: 0 when more may be due already. */
  async function claim(): Promise<number> {
    const open = await listCapacities()
    if (open.length === 0) return tuning.pollMs
    const names = [...new Set(open.map(({ provider }) => provider))]
    const inMs = await findNextDueMs(db.read, names)
    if (inMs === undefined || inMs > 0) return Math.min(inMs ?? tuning.pollMs, tuning.pollMs)
    const isFull = (await readiness.storageProblem()) !== undefined
    const capacities = isFull ? open.map((one) => ({ ...one, blockedModels: 'ALL' as const })) : open
    const claimed = await claimAll(capacities)
    for (const attempt of claimed) start(attempt)
    if (claimed.length > 0) return 0
    // What is due is blocked, or another process was faster: looking again at once would spin.
    const isBlocked = capacities.some(({ blockedModels }) => blockedModels.length > 0)
    return isBlocked ? tuning.pollMs : Math.min(50, tuning.pollMs)
  }

  return {
    async run(stopClaiming) {
      const waiter = wakeUps.wait(QUEUE_KEY)
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
        await Promise.all(
          [...underWay.values()].flatMap((steps) => [...steps.values()].map(({ done }) => done)),
        )
      }
    },

    held: () => [...underWay.values()].flatMap((steps) => [...steps.keys()]),
  }
}
