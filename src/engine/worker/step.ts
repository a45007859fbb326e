import type { AttemptRow, TaskRow } from '../../db/tables/tables.ts'
import { isValueRefused } from '../../db/connection/error-code.ts'
import { getTask } from '../../db/tasks/tasks.ts'
import { removeReceivedAnswer } from '../attempts/received-answer.ts'
import { settle } from '../attempts/settle.ts'
import type { Deps, ShutdownSignals } from '../deps.ts'
import { findProvider } from '../routing/configured.ts'
import { openCall } from './call.ts'
import { check } from './check.ts'
import { attributesOf } from './instrumented-call.ts'
import { send } from './send.ts'

/** Sends or checks a claimed attempt, and settles the outcome. No state remains in memory between steps. */
export async function takeStep(deps: Deps, attempt: AttemptRow, signals: ShutdownSignals): Promise<void> {
  const task = await getTask(deps.db.read, attempt.taskId)
  deps.metrics.claims.inc({ provider: attempt.provider })
  const options = { kind: 'CONSUMER', parent: task.traceparent, attributes: attributesOf(attempt) } as const
  await deps.tracing.span('attempt', options, () => sendOrCheck(deps, task, attempt, signals))
}

async function sendOrCheck(
  deps: Deps,
  task: TaskRow,
  attempt: AttemptRow,
  signals: ShutdownSignals,
): Promise<void> {
  const { abortCalls, exit } = signals
  // The runner claims only for configured providers.
  const { timeoutMs } = findProvider(deps.providers, attempt.provider)!
  const { call, evidence, recorded, close } = openCall(deps, task, attempt, timeoutMs, abortCalls)
  const of = { task, attempt, evidence }
  const outcome =
    attempt.state === 'ACCEPTED' ? await check(deps, of, call, exit) : await send(deps, of, call, signals)
  await recorded()
  await deps.tracing.span('settle', { attributes: { 'darkroom.outcome': outcome.state } }, () =>
    persist(deps, attempt, exit, () => settle(deps, attempt, evidence, outcome)),
  )
  await removeReceivedAnswer(deps, attempt.id)
  await close()
}

/** Longer than a database failover. */
const PERSIST_MS = 600_000
const MAX_PAUSE_MS = 5000

/**
 * Repeats a write, because what it records was paid for. Throws after PERSIST_MS, on exit, and for a row that can never be
 * stored. The received-answer record then stays for the next start.
 */
async function persist(
  { clock, log }: Deps,
  { id }: AttemptRow,
  exit: AbortSignal,
  write: () => Promise<void>,
): Promise<void> {
  const until = clock.monotonic() + PERSIST_MS
  for (let pauseMs = 50; ; pauseMs = Math.min(pauseMs * 2, MAX_PAUSE_MS)) {
    try {
      return await write()
    } catch (error) {
      if (exit.aborted || clock.monotonic() >= until || isValueRefused(error)) throw error
      log.warn({ attempt: id, err: error }, 'recording an outcome failed; retrying')
      await clock.sleep(pauseMs, exit)
    }
  }
}
