import type { AttemptRow, TaskRow } from '../../db/tables/tables.ts'
import { isConstraintViolation } from '../../db/connection/error-code.ts'
import { getTask } from '../../db/tasks/tasks.ts'
import { removeReceivedAnswer } from '../attempts/received-answer.ts'
import { settle, type SettleDeps } from '../attempts/settle.ts'
import type { Deps, ShutdownSignals } from '../deps.ts'
import { findProvider } from '../routing/configured.ts'
import { openCall, type CallDeps } from './call.ts'
import { check, type CheckDeps } from './check.ts'
import { attributesOf } from './instrumented-call.ts'
import { send, type SendDeps } from './send.ts'

export type StepDeps = SendDeps & CheckDeps & CallDeps & SettleDeps

/** One step of one claimed attempt: send it or check it, and settle the outcome. Nothing waits in memory between steps. */
export async function takeStep(deps: StepDeps, attempt: AttemptRow, signals: ShutdownSignals): Promise<void> {
  const task = await getTask(deps.db.read, attempt.taskId)
  deps.metrics.done.claims.inc({ provider: attempt.provider })
  const options = { kind: 'CONSUMER', parent: task.traceparent, attributes: attributesOf(attempt) } as const
  await deps.tracing.span('attempt', options, () => takeStepOf(deps, task, attempt, signals))
}

async function takeStepOf(
  deps: StepDeps,
  task: TaskRow,
  attempt: AttemptRow,
  signals: ShutdownSignals,
): Promise<void> {
  const { cut, over } = signals
  // The runner claims only for the providers it has.
  const { timeoutMs } = findProvider(deps.providers, attempt.provider)!
  const { call, evidence, recorded, close } = openCall(deps, task, attempt, timeoutMs, cut)
  const of = { task, attempt, evidence }
  const outcome =
    attempt.state === 'ACCEPTED' ? await check(deps, of, call, over) : await send(deps, of, call, signals)
  await recorded()
  // A paid result depends on this write. When it fails for good, the received-answer record stays for the next start.
  await deps.tracing.span('settle', { attributes: { 'darkroom.outcome': outcome.is } }, () =>
    persist(deps, over, () => settle(deps, of, outcome)),
  )
  await removeReceivedAnswer(deps, attempt.id)
  await close()
}

/** How long one write is tried: longer than a database takes for a restart or a failover. */
const PERSIST_MS = 600_000
const MAX_PAUSE_MS = 5000

/**
 * Repeats a write until it succeeds, through an outage of the database: what it records was paid for. Throws the last
 * error once the time or the process is over, and at once for a row that can never be stored.
 */
async function persist(
  { clock, log }: Pick<Deps, 'clock' | 'log'>,
  over: AbortSignal,
  write: () => Promise<void>,
): Promise<void> {
  const until = clock.now() + PERSIST_MS
  for (let pauseMs = 50; ; pauseMs = Math.min(pauseMs * 2, MAX_PAUSE_MS)) {
    try {
      return await write()
    } catch (error) {
      if (over.aborted || clock.now() >= until || isConstraintViolation(error)) throw error
      log.warn({ err: error }, 'an outcome cannot be written down yet; trying again')
      await clock.sleep(pauseMs, over)
    }
  }
}
