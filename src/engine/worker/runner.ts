import { FETCH_KEY, findNextDueMs, QUEUE_KEY } from '../../db/attempts/attempts.ts'
import { lockSlots, type InProgress } from '../../db/attempts/in-progress.ts'
import { listCooldowns, type CooldownRow } from '../../db/providers/cooldowns.ts'
import type { AttemptRow } from '../../db/tables/tables.ts'
import type { Deps, ShutdownSignals } from '../deps.ts'
import { repeatClaims } from '../events/wake-ups.ts'
import { countOf, listCapacities } from './capacity.ts'
import { claimDue } from './claim.ts'
import type { Readiness } from './readiness.ts'
import { takeStep } from './step.ts'

interface Step {
  attempt: AttemptRow
  done: Promise<void>
}

/**
 * At each provider, per process. Downloads take none of its slots, so that a host that hangs does not delay submits.
 */
const MAX_CONCURRENT_DOWNLOADS = 16

/**
 * Claims due attempts within each provider's concurrency, which all processes on PostgreSQL share, takes a step of
 * each, then sleeps until the next is due or a wake-up. While no image can be stored, accepted attempts are checked,
 * but nothing is sent or downloaded. `fetching`: the loop of downloads.
 */
export function createRunner(
  deps: Deps,
  signals: ShutdownSignals,
  readiness: Pick<Readiness, 'storageProblem'>,
  { fetching = false } = {},
) {
  const { db, providers, wakeUps, tuning, workerId, log } = deps
  const key = fetching ? FETCH_KEY : QUEUE_KEY
  const slots = fetching
    ? providers.map(({ name }) => ({ name, concurrency: MAX_CONCURRENT_DOWNLOADS }))
    : providers
  /** By attempt. */
  const steps = new Map<string, Step>()
  /** At the last claim; it may wait for a slot. */
  let wasDue = true

  function start(attempt: AttemptRow): void {
    const done = takeStep(deps, attempt, signals)
      .catch((error: unknown) =>
        log.error({ attempt: attempt.id, err: error }, 'settling an attempt failed; its lease will expire'),
      )
      .finally(() => {
        // Its next step may have begun since the commit.
        if (steps.get(attempt.id)?.attempt === attempt) steps.delete(attempt.id)
        // After a send, the step itself wakes the queue where needed.
        if (wasDue || attempt.state !== 'LEASED') wakeUps.wake(key)
      })
    steps.set(attempt.id, { attempt, done })
  }

  function listOwn(): InProgress[] {
    return [...steps.values()].map(({ attempt: { provider, model, projectId, state } }) => ({
      provider,
      model,
      projectId,
      isSending: state === 'LEASED',
      count: 1,
    }))
  }

  /** `isFull`: attempts of other processes take all slots of a provider in `open`. */
  async function claimAll(open: ReadonlySet<string>, cooldowns: readonly CooldownRow[], noneNew: boolean) {
    return db.tx(async (q) => {
      const others = db.dialect === 'postgresql' && !fetching ? await lockSlots(q, workerId) : []
      const inProgress = [...listOwn(), ...others]
      const capacities = listCapacities(slots, inProgress, cooldowns)
      const free = new Map(capacities.map(({ provider, free: left }) => [provider, left]))
      const claimed: AttemptRow[] = []
      for (const { provider, limit: max, free: _, ...scope } of capacities) {
        const limit = Math.min(max, free.get(provider)!)
        if (limit === 0) continue
        const ofProvider = inProgress.filter((one) => one.provider === provider)
        const byProject = Map.groupBy(ofProvider, ({ projectId }) => projectId)
        const ofScope = await claimDue(q, {
          ...scope,
          ...(noneNew && { blockedModels: 'ALL' }),
          provider,
          limit,
          owner: workerId,
          leaseMs: tuning.leaseMs,
          dataFolderId: deps.dataFolderId,
          inProgress: new Map([...byProject].map(([id, attempts]) => [id, countOf(attempts)])),
          fetching,
        })
        free.set(provider, free.get(provider)! - ofScope.length)
        claimed.push(...ofScope)
      }
      return { claimed, isFull: free.size < open.size }
    })
  }

  /** Returns how long to sleep; 0 when more may be due. */
  async function claim(): Promise<number> {
    wasDue = true
    const cooldowns = fetching ? [] : await listCooldowns(db.read)
    const capacities = listCapacities(slots, listOwn(), cooldowns)
    const open = new Set(capacities.map(({ provider }) => provider))
    if (open.size === 0) return tuning.pollMs
    const inMs = await findNextDueMs(db.read, [...open], fetching)
    wasDue = inMs === 0 || open.size < providers.length
    if (inMs === undefined || inMs > 0) return Math.min(inMs ?? tuning.pollMs, tuning.pollMs)
    const isStorageFailing = (await readiness.storageProblem()) !== undefined
    if (isStorageFailing && fetching) return tuning.pollMs
    const { claimed, isFull } = await claimAll(open, cooldowns, isStorageFailing)
    for (const attempt of claimed) start(attempt)
    if (claimed.length > 0) return 0
    // Blocked, or another process was faster. Claiming again at once would spin.
    const isBlocked = isFull || isStorageFailing || capacities.some((one) => one.blockedModels.length > 0)
    return isBlocked ? tuning.pollMs : Math.min(50, tuning.pollMs)
  }

  return {
    /** Resolves once it claims no more; steps may still be in progress. */
    run: (stopClaiming: AbortSignal): Promise<void> =>
      repeatClaims(wakeUps.wait(key), claim, stopClaiming, (error) => {
        log.error({ err: error }, 'claiming attempts failed; retrying')
        return tuning.pollMs
      }),

    async idle(): Promise<void> {
      while (steps.size > 0) await Promise.all([...steps.values()].map(({ done }) => done))
    },

    held: (): string[] => [...steps.keys()],
    holds: (attemptId: string): boolean => steps.has(attemptId),
  }
}
