import { QUEUE_KEY } from '../../db/attempts/attempts.ts'
import { claimLookup, listDueLookups } from '../../db/attempts/lost.ts'
import type { AttemptRow } from '../../db/tables/tables.ts'
import { getTask } from '../../db/tasks/tasks.ts'
import { ProviderError } from '../../providers/error.ts'
import type { Provider } from '../../providers/provider.ts'
import { storedEvidence } from '../attempts/outcome.ts'
import { settle, type SettleDeps } from '../attempts/settle.ts'
import { findRemote } from '../attempts/side-call.ts'
import type { Deps } from '../deps.ts'
import { findProvider } from '../routing/configured.ts'

type ReconcileDeps = SettleDeps & Pick<Deps, 'wakeUps'>

/** How many lookups run at a time; the others wait for the next round. */
const AT_ONCE = 20

/**
 * Looks for attempts whose answer was lost, at the providers that support a lookup by our own id: at once, and then after
 * each of `lookupDelaysMs`. One that is found is accepted as if its answer had arrived. One that is not found stays UNKNOWN: a
 * provider without a record of it may still charge. `stop` ends it.
 */
export async function reconcile(deps: ReconcileDeps, stop: AbortSignal): Promise<void> {
  const finders = deps.providers.filter((provider) => provider.find !== undefined)
  if (finders.length === 0) return
  const due = await listDueLookups(deps.db.read, {
    providers: finders.map(({ name }) => name),
    maxLookups: deps.tuning.lookupDelaysMs.length + 1,
    limit: AT_ONCE,
  })
  await Promise.all(
    due.map((attempt) => {
      const provider = findProvider(finders, attempt.provider)!
      // The next lookup is planned already, so nothing is lost when this one fails.
      return look(deps, provider, attempt, stop).catch((error: unknown) => explain(deps, attempt, error))
    }),
  )
}

async function look(
  deps: ReconcileDeps,
  provider: Provider,
  attempt: AttemptRow,
  stop: AbortSignal,
): Promise<void> {
  if (!(await deps.db.tx((q) => claimLookup(q, attempt, waitAfter(deps, attempt.missingChecks))))) return
  const found = await findRemote(deps, provider, attempt, stop)
  if (!found) return
  const task = await getTask(deps.db.read, attempt.taskId)
  deps.log.warn({ attempt: attempt.id, ...found }, 'found an order whose answer was lost')
  // It is there, so it was sent, even if the process that sent it died before recording that.
  const unsent = attempt.wirePhase === 'NONE' || attempt.wirePhase === 'INTENT'
  const evidence = { ...storedEvidence(attempt), ...(unsent && { wirePhase: 'DISPATCHED' as const }) }
  await settle(deps, { task, attempt, evidence }, { is: 'ACCEPTED', ...found, checkAfterMs: 0 })
  deps.wakeUps.wake(QUEUE_KEY)
}

/** From one lookup to the next, after `looks` earlier ones; 0 after the last. */
function waitAfter({ tuning: { lookupDelaysMs } }: Pick<Deps, 'tuning'>, looks: number): number {
  return Math.max(0, (lookupDelaysMs[looks] ?? 0) - (lookupDelaysMs[looks - 1] ?? 0))
}

function explain({ log }: Pick<Deps, 'log'>, { id }: AttemptRow, error: unknown): void {
  if (error instanceof ProviderError) log.info({ attempt: id }, `could not look for it: ${error.message}`)
  else log.error({ attempt: id, err: error }, 'could not look for an order whose answer was lost')
}
