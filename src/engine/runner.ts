import { claimDue, findNextDueMs, QUEUE_KEY } from '../db/attempts.ts'
import { ALL_MODELS, listRests, type RestRow } from '../db/rests.ts'
import type { AttemptRow } from '../db/tables.ts'
import type { Deps, Ends } from './deps.ts'
import { takeStep } from './step.ts'

export interface Runner {
  /** Claims what is due and works on it until `stopClaiming` aborts. Resolves when it claims no more. */
  run(stopClaiming: AbortSignal): Promise<void>
  /** Resolves when no step is under way. */
  idle(): Promise<void>
  /** The attempts that are being worked on: their leases are to be kept. */
  held(): string[]
}

interface Room {
  provider: string
  limit: number
  /** Models that are given no new work, or all of them. */
  resting: readonly string[] | 'ALL'
}

/** A rest that is over leaves room for one attempt, the probe: its success lifts the rest, its failure renews it. */
function roomAt(provider: string, room: number, rests: RestRow[]): Room {
  const own = rests.filter((rest) => rest.provider === provider)
  const now = own.filter(({ resting }) => resting).map(({ model }) => model)
  const limit = own.length > now.length ? Math.min(1, room) : room
  return { provider, limit, resting: now.includes(ALL_MODELS) ? 'ALL' : now }
}

/**
 * The loop: claim what is due, as many per provider as it has room for, take a step of each, sleep until the next is
 * due or a poke.
 */
export function createRunner(deps: Deps, ends: Ends): Runner {
  const { db, providers, pokes, tuning, workerId, log } = deps
  // By provider and attempt.
  const underWay = new Map<string, Map<string, Promise<void>>>(providers.map(({ name }) => [name, new Map()]))
  // A step that ends makes room, which is a reason to look again.
  const makeRoom = () => pokes.wake(QUEUE_KEY)

  function start(attempt: AttemptRow): void {
    const steps = underWay.get(attempt.provider)!
    const step = takeStep(deps, attempt, ends)
      .catch((error: unknown) =>
        log.error({ attempt: attempt.id, err: error }, 'a step could not be settled; its lease will run out'),
      )
      .finally(() => {
        steps.delete(attempt.id)
        makeRoom()
      })
    steps.set(attempt.id, step)
  }

  /** Where there is room, and for which models there is none for now. */
  async function free(): Promise<Room[]> {
    const rests = await listRests(db.read)
    return providers
      .map(({ name, concurrency }) => roomAt(name, concurrency - underWay.get(name)!.size, rests))
      .filter(({ limit }) => limit > 0)
  }

  /** How long to sleep: 0 when more may be due already. */
  async function claim(): Promise<number> {
    const open = await free()
    if (open.length === 0) return tuning.pollMs
    const names = open.map(({ provider }) => provider)
    const inMs = await findNextDueMs(db.read, names)
    if (inMs === undefined || inMs > 0) return Math.min(inMs ?? tuning.pollMs, tuning.pollMs)
    const claimed = await db.tx(async (q) => {
      const all: AttemptRow[] = []
      for (const room of open) {
        all.push(...(await claimDue(q, { ...room, owner: workerId, leaseMs: tuning.leaseMs })))
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
        await Promise.all([...underWay.values()].flatMap((steps) => [...steps.values()]))
      }
    },

    held: () => [...underWay.values()].flatMap((steps) => [...steps.keys()]),
  }
}
