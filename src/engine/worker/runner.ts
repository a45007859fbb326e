import { findNextDueMs, QUEUE_KEY } from '../../db/attempts/attempts.ts'
import { claimDue } from '../../db/attempts/claim.ts'
import { ALL_MODELS, listRests, type RestRow } from '../../db/providers/cooldowns.ts'
import type { AttemptRow } from '../../db/tables/tables.ts'
import type { Provider } from '../../providers/provider.ts'
import type { Deps, Ends } from '../deps.ts'
import type { Readiness } from './readiness.ts'
import { takeStep } from './step.ts'

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

/** What may be claimed for a provider at this moment. */
interface Room {
  provider: string
  limit: number
  /** The only model it is for; undefined when it is for all. */
  model?: string
  /** Models that are given no new work, or all of them. */
  resting: readonly string[] | 'ALL'
}

/** How many of the steps are for each project. */
function countByProject(steps: ReadonlyMap<string, Step>): Map<string, number> {
  const counts = new Map<string, number>()
  for (const { attempt } of steps.values())
    counts.set(attempt.projectId, (counts.get(attempt.projectId) ?? 0) + 1)
  return counts
}

/**
 * A rest that is over leaves room for one attempt at a time, the probe: its success lifts the rest, its failure renews
 * it. `busy` are the models of the attempts that are being sent. What was accepted is asked about all the while.
 */
function roomsAt(provider: string, free: number, busy: readonly string[], rests: RestRow[]): Room[] {
  const own = rests.filter((rest) => rest.provider === provider)
  const now = own.filter(({ resting }) => resting).map(({ model }) => model)
  const over = own.filter(({ resting }) => !resting).map(({ model }) => model)
  const checks: Room = { provider, limit: free, resting: 'ALL' }
  if (now.includes(ALL_MODELS)) return [checks]
  if (over.includes(ALL_MODELS))
    return [{ provider, limit: Math.min(free, 1 - busy.length), resting: now }, checks]
  const probes = over
    .filter((model) => !busy.includes(model))
    .map((model) => ({ provider, limit: Math.min(free, 1), model, resting: [] }))
  return [...probes, { provider, limit: free, resting: [...now, ...over] }]
}

/**
 * The loop: claim what is due, as many per provider as it has room for, take a step of each, sleep until the next is
 * due or a wake-up. While no image could be stored nothing is sent, and what was accepted is asked about all the same.
 */
export function createRunner(deps: Deps, ends: Ends, readiness: Pick<Readiness, 'roomProblem'>): Runner {
  const { db, providers, wakeUps, tuning, workerId, log } = deps
  // By provider and attempt.
  const underWay = new Map<string, Map<string, Step>>(providers.map(({ name }) => [name, new Map()]))
  // A step that ends makes room, which is a reason to look again.
  const makeRoom = () => wakeUps.wake(QUEUE_KEY)

  function start(attempt: AttemptRow): void {
    const steps = underWay.get(attempt.provider)!
    const done = takeStep(deps, attempt, ends)
      .catch((error: unknown) =>
        log.error({ attempt: attempt.id, err: error }, 'a step could not be settled; its lease will run out'),
      )
      .finally(() => {
        steps.delete(attempt.id)
        makeRoom()
      })
    steps.set(attempt.id, { attempt, done })
  }

  function freeAt({ name, concurrency }: Provider): number {
    return concurrency - underWay.get(name)!.size
  }

  /** Where there is room, and for which models there is none for now. */
  async function rooms(): Promise<Room[]> {
    const rests = await listRests(db.read)
    return providers
      .flatMap((provider) => {
        const steps = [...underWay.get(provider.name)!.values()].map(({ attempt }) => attempt)
        const busy = steps.filter(({ state }) => state === 'LEASED').map(({ model }) => model)
        return roomsAt(provider.name, freeAt(provider), busy, rests)
      })
      .filter(({ limit }) => limit > 0)
  }

  /** How long to sleep: 0 when more may be due already. */
  async function claim(): Promise<number> {
    const open = await rooms()
    if (open.length === 0) return tuning.pollMs
    const names = [...new Set(open.map(({ provider }) => provider))]
    const inMs = await findNextDueMs(db.read, names)
    if (inMs === undefined || inMs > 0) return Math.min(inMs ?? tuning.pollMs, tuning.pollMs)
    if ((await readiness.roomProblem()) !== undefined) for (const room of open) room.resting = 'ALL'
    const claimed = await db.tx(async (q) => {
      const all: AttemptRow[] = []
      const left = new Map(providers.map((provider) => [provider.name, freeAt(provider)]))
      for (const room of open) {
        const limit = Math.min(room.limit, left.get(room.provider)!)
        if (limit === 0) continue
        const some = await claimDue(q, {
          ...room,
          limit,
          owner: workerId,
          leaseMs: tuning.leaseMs,
          underWay: countByProject(underWay.get(room.provider)!),
        })
        left.set(room.provider, left.get(room.provider)! - some.length)
        all.push(...some)
      }
      return all
    })
    for (const attempt of claimed) start(attempt)
    if (claimed.length > 0) return 0
    // What is due is for a provider at rest, or somebody else was faster: no reason to run in circles.
    return open.some(({ resting }) => resting.length > 0) ? tuning.pollMs : Math.min(50, tuning.pollMs)
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
