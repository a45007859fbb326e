import { QUEUE_KEY } from '../../db/attempts/attempts.ts'
import { claimLook, listToLookFor } from '../../db/attempts/lost.ts'
import type { AttemptRow, TaskRow } from '../../db/tables/tables.ts'
import { getTask } from '../../db/tasks/tasks.ts'
import { ProviderError } from '../../providers/error.ts'
import type { Provider } from '../../providers/provider.ts'
import { storedEvidence } from '../attempts/outcome.ts'
import { settle, type SettleDeps } from '../attempts/settle.ts'
import type { Deps } from '../deps.ts'
import { findProvider } from '../routing/configured.ts'
import { openCall, type CallDeps } from './call.ts'

type ReconcileDeps = SettleDeps & CallDeps & Pick<Deps, 'wakeUps'>

/** How many are looked for at a time; the others wait for the next round. */
const AT_ONCE = 20

/** How long one look may take. */
const LOOK_MS = 30_000

/**
 * Looks for orders whose answer was lost, at the providers that can be asked by our own id: at once, and then as
 * `lookAfterMs` says. One that is found is accepted as if its answer had come, whoever sent it. One that is not found
 * stays UNKNOWN: that an upstream has no record of an order does not prove that it charges nothing. `stop` ends it.
 */
export async function reconcile(deps: ReconcileDeps, stop: AbortSignal): Promise<void> {
  const finders = deps.providers.filter((provider) => provider.find !== undefined)
  if (finders.length === 0) return
  const due = await listToLookFor(deps.db.read, {
    providers: finders.map(({ name }) => name),
    mostLooks: deps.tuning.lookAfterMs.length + 1,
    limit: AT_ONCE,
  })
  await Promise.all(
    due.map((attempt) => {
      const provider = findProvider(finders, attempt.provider)!
      // The next look is planned already, so nothing is lost when this one is.
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
  if (!(await deps.db.tx((q) => claimLook(q, attempt, waitAfter(deps, attempt.missing))))) return
  const task = await getTask(deps.db.read, attempt.taskId)
  const found = await findAt(deps, provider, task, attempt, stop)
  if (!found) return
  deps.log.warn({ attempt: attempt.id, ...found }, 'found an order whose answer was lost')
  // It is there, so it was sent, even if the process that sent it died before recording that.
  const unsent = attempt.wirePhase === 'NONE' || attempt.wirePhase === 'INTENT'
  const evidence = { ...storedEvidence(attempt), ...(unsent && { wirePhase: 'DISPATCHED' as const }) }
  await settle(deps, { task, attempt, evidence }, { is: 'ACCEPTED', ...found, checkAfterMs: 0 })
  deps.wakeUps.wake(QUEUE_KEY)
}

async function findAt(
  deps: CallDeps,
  provider: Provider,
  task: TaskRow,
  attempt: AttemptRow,
  stop: AbortSignal,
): Promise<{ remoteId: string } | undefined> {
  // What it notes is about the question, and no evidence of the order.
  const { call, close } = openCall(deps, task, attempt, LOOK_MS, stop)
  try {
    return await provider.find?.(attempt.id, call)
  } finally {
    await close()
  }
}

/** From one look to the next, of which `looks` came before; 0 after the last. */
function waitAfter({ tuning: { lookAfterMs } }: Pick<Deps, 'tuning'>, looks: number): number {
  return Math.max(0, (lookAfterMs[looks] ?? 0) - (lookAfterMs[looks - 1] ?? 0))
}

function explain({ log }: Pick<Deps, 'log'>, { id }: AttemptRow, error: unknown): void {
  if (error instanceof ProviderError) log.info({ attempt: id }, `could not look for it: ${error.message}`)
  else log.error({ attempt: id, err: error }, 'could not look for an order whose answer was lost')
}
