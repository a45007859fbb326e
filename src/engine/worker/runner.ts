import { FETCH_KEY, findNextDueMs, QUEUE_KEY } from '../../db/attempts/attempts.ts'
import { listCooldowns } from '../../db/providers/cooldowns.ts'
import type { AttemptRow } from '../../db/tables/tables.ts'
import type { Provider } from '../../providers/provider.ts'
import type { Deps, ShutdownSignals } from '../deps.ts'
import { repeatClaims } from '../events/wake-ups.ts'
import { capacitiesOf, type Capacity } from './capacity.ts'
import { claimDue } from './claim.ts'
import type { Readiness } from './readiness.ts'
import { takeStep } from './step.ts'

interface Step {
  attempt: AttemptRow
  done: Promise<void>
}

/** At each provider, per process. Downloads take none of its slots, so that a host that hangs does not delay submits. */
const MAX_CONCURRENT_DOWNLOADS = 16

/**
 * The worker loop: claims due attempts within each provider's concurrency, takes a step of each, then sleeps until the
 * next is due or a wake-up. While no image can be stored nothing is sent or downloaded, but accepted attempts are checked.
 * With `fetching`, it is the loop of attempts whose images are downloaded.
 */
export function createRunner(
  deps: Deps,
  signals: ShutdownSignals,
  readiness: Pick<Readiness, 'storageProblem'>,
  { fetching = false } = {},
) {
  const { db, providers, wakeUps, tuning, workerId, log } = deps
  const key = fetching ? FETCH_KEY : QUEUE_KEY
  /** By attempt. */
  const steps = new Map<string, Step>()
  /** Of the last claim: an attempt was due, and may wait for a slot. */
  let wasDue = true

  function start(attempt: AttemptRow): void {
    const done = takeStep(deps, attempt, signals)
      .catch((error: unknown) =>
        log.error({ attempt: attempt.id, err: error }, 'settling an attempt failed; its lease will expire'),
      )
      .finally(() => {
        // Its next step may have begun since the commit.
        if (steps.get(attempt.id)?.attempt === attempt) steps.delete(attempt.id)
        // A step that was sent wakes the queue itself where another one follows.
        if (wasDue || attempt.state !== 'LEASED') wakeUps.wake(key)
      })
    steps.set(attempt.id, { attempt, done })
  }

  function listInProgress(provider: string): AttemptRow[] {
    return [...steps.values()]
      .map(({ attempt }) => attempt)
      .filter((attempt) => attempt.provider === provider)
  }

  function freeSlots({ name, concurrency }: Provider): number {
    return (fetching ? MAX_CONCURRENT_DOWNLOADS : concurrency) - listInProgress(name).length
  }

  async function listCapacities(): Promise<Capacity[]> {
    if (fetching)
      return providers
        .map((provider) => ({ provider: provider.name, limit: freeSlots(provider), blockedModels: [] }))
        .filter(({ limit }) => limit > 0)
    const cooldowns = await listCooldowns(db.read)
    return providers
      .flatMap((provider) => {
        const sending = listInProgress(provider.name).filter(({ state }) => state === 'LEASED')
        const models = sending.map(({ model }) => model)
        return capacitiesOf(provider.name, freeSlots(provider), models, cooldowns)
      })
      .filter(({ limit }) => limit > 0)
  }

  async function claimAll(capacities: Capacity[]): Promise<AttemptRow[]> {
    return db.tx(async (q) => {
      const all: AttemptRow[] = []
      const free = new Map(providers.map((provider) => [provider.name, freeSlots(provider)]))
      for (const capacity of capacities) {
        const { provider } = capacity
        const limit = Math.min(capacity.limit, free.get(provider)!)
        if (limit === 0) continue
        const byProject = Map.groupBy(listInProgress(provider), ({ projectId }) => projectId)
        const inProgress = new Map([...byProject].map(([id, attempts]) => [id, attempts.length]))
        const lease = { owner: workerId, leaseMs: tuning.leaseMs, dataFolderId: deps.dataFolderId }
        const claimed = await claimDue(q, { ...capacity, limit, ...lease, inProgress, fetching })
        free.set(provider, free.get(provider)! - claimed.length)
        all.push(...claimed)
      }
      return all
    })
  }

  /** Returns how long to sleep; 0 when more may be due. */
  async function claim(): Promise<number> {
    wasDue = true
    const open = await listCapacities()
    if (open.length === 0) return tuning.pollMs
    const names = [...new Set(open.map(({ provider }) => provider))]
    const inMs = await findNextDueMs(db.read, names, fetching)
    wasDue = inMs === 0 || names.length < providers.length
    if (inMs === undefined || inMs > 0) return Math.min(inMs ?? tuning.pollMs, tuning.pollMs)
    const isStorageFailing = (await readiness.storageProblem()) !== undefined
    if (isStorageFailing && fetching) return tuning.pollMs
    const capacities = isStorageFailing
      ? open.map((one) => ({ ...one, blockedModels: 'ALL' as const }))
      : open
    const claimed = await claimAll(capacities)
    for (const attempt of claimed) start(attempt)
    if (claimed.length > 0) return 0
    // Blocked, or another process was faster. Claiming again at once would spin.
    const isBlocked = capacities.some(({ blockedModels }) => blockedModels.length > 0)
    return isBlocked ? tuning.pollMs : Math.min(50, tuning.pollMs)
  }

  return {
    /** Resolves once it claims no more; steps may still be in progress. */
    run: (stopClaiming: AbortSignal): Promise<void> =>
      repeatClaims(wakeUps.wait(key), claim, stopClaiming, (error) => {
        log.error({ err: error }, 'claiming attempts failed; retrying')
        return tuning.pollMs
      }),

    /** Resolves when no step is in progress. */
    async idle(): Promise<void> {
      while (steps.size > 0) await Promise.all([...steps.values()].map(({ done }) => done))
    },

    /** Ids of the attempts in progress. */
    held: (): string[] => [...steps.keys()],
    holds: (attemptId: string): boolean => steps.has(attemptId),
  }
}
