import { claimLookup, listDueLateChecks } from '../../db/attempts/unknown.ts'
import type { AttemptRow } from '../../db/tables/tables.ts'
import { getTask } from '../../db/tasks/tasks.ts'
import { ProviderError } from '../../providers/error.ts'
import type { Call } from '../../providers/provider.ts'
import { nextLookupMs } from '../attempts/lookup-delay.ts'
import type { AttemptContext, Outcome } from '../attempts/outcome.ts'
import { removeReceivedAnswer } from '../attempts/received-answer.ts'
import { settle } from '../attempts/settle.ts'
import type { Deps, ShutdownSignals } from '../deps.ts'
import { findProvider } from '../routing/configured.ts'
import { openCall } from './call.ts'
import { toFailure, toOutcome } from './call-outcome.ts'
import { askProvider, isFinal } from './check.ts'

/** The others wait for the next round. */
const MAX_CONCURRENT_CHECKS = 20

/**
 * Checks accepted attempts of unknown outcome at once, then after each of `lookupDelaysMs`: the result may be
 * finished, or the provider configured again. Only a result changes their state.
 */
export async function checkLate(deps: Deps, signals: ShutdownSignals): Promise<void> {
  const checkable = deps.providers.filter((provider) => provider.check !== undefined)
  if (checkable.length === 0) return
  const due = await listDueLateChecks(deps.db.reports, {
    providers: checkable.map(({ name }) => name),
    maxLookups: deps.tuning.lookupDelaysMs.length + 1,
    limit: MAX_CONCURRENT_CHECKS,
  })
  await Promise.all(
    due.map((attempt) =>
      // The next check is scheduled: a failure loses nothing.
      checkOne(deps, attempt, signals).catch((error: unknown) => {
        const ids = { attempt: attempt.id, provider: attempt.provider, err: error }
        if (error instanceof ProviderError) deps.log.info(ids, 'late check failed')
        else deps.log.error(ids, 'late check failed with an unexpected error')
      }),
    ),
  )
}

async function checkOne(
  deps: Deps,
  attempt: AttemptRow,
  { abortCalls, exit }: ShutdownSignals,
): Promise<void> {
  const delayMs = nextLookupMs(deps.tuning, attempt.missingChecks)
  if (!(await deps.db.tx((q) => claimLookup(q, attempt, delayMs)))) return
  const task = await getTask(deps.db.read, attempt.taskId)
  const { timeoutMs } = findProvider(deps.providers, attempt.provider)!
  const { call, evidence, close } = openCall(deps, task, attempt, timeoutMs, abortCalls)
  const of = { task, attempt, evidence }
  // The attempt is not in progress: no progress is reported.
  const outcome = await findOutcome(
    deps,
    of,
    { ...call, onProgress() {}, onPartial: async () => {} },
    exit,
  ).catch(async (error: unknown) => {
    await close()
    throw error
  })
  if (outcome) {
    // When this fails, the images stay for the received-answer record.
    await settle(deps, attempt, evidence, outcome)
    await removeReceivedAnswer(deps, attempt.id)
    deps.log.warn({ attempt: attempt.id, state: outcome.state }, 'outcome found by a late check')
  }
  await close()
}

/** Undefined while the outcome stays unknown. Throws when the check failed. */
async function findOutcome(
  deps: Deps,
  of: AttemptContext,
  call: Call,
  exit: AbortSignal,
): Promise<Outcome | undefined> {
  try {
    const result = await askProvider(deps, of, call)
    return result.state === 'DONE' ? await toOutcome(deps, of, result, exit) : undefined
  } catch (error) {
    if (!isFinal(error)) throw error
    return { state: 'FAILED', failure: toFailure(deps, of, error) }
  }
}
