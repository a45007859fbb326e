import type { AttemptRow, TaskRow } from '../../db/tables/tables.ts'
import { getTask } from '../../db/tasks/tasks.ts'
import { openCall } from './call.ts'
import { check } from './check.ts'
import type { Deps, ShutdownSignals } from '../deps.ts'
import { persist } from './persist.ts'
import { removeReceivedAnswer } from '../attempts/received-answer.ts'
import { send } from './send.ts'
import { settle } from '../attempts/settle.ts'
import { attributesOf } from './instrumented-call.ts'

/**
 * One step of one claimed attempt: send it, or ask how it is doing, and settle what came of it. Nothing waits in
 * memory between steps.
 */
export async function takeStep(deps: Deps, attempt: AttemptRow, ends: ShutdownSignals): Promise<void> {
  const task = await getTask(deps.db.read, attempt.taskId)
  deps.metrics.done.claims.inc({ provider: attempt.provider })
  const options = { kind: 'CONSUMER', parent: task.traceparent, attributes: attributesOf(attempt) } as const
  await deps.tracing.span('attempt', options, () => takeStepOf(deps, task, attempt, ends))
}

async function takeStepOf(
  deps: Deps,
  task: TaskRow,
  attempt: AttemptRow,
  { cut, over }: ShutdownSignals,
): Promise<void> {
  // The runner claims only for the providers it has.
  const provider = deps.providers.find(({ name }) => name === attempt.provider)!
  const { call, evidence, recorded, close } = openCall(deps, task, attempt, provider.timeoutMs, cut)
  const of = { task, attempt, evidence }
  const outcome =
    attempt.state === 'ACCEPTED'
      ? await check(deps, of, call, over)
      : await send(deps, of, call, { cut, over })
  await recorded()
  // A picture that was paid for hangs on this write. When it fails for good, its receipt stays for the next start.
  await deps.tracing.span('settle', { attributes: { 'darkroom.outcome': outcome.is } }, () =>
    persist(deps, over, () => settle(deps, of, outcome)),
  )
  await removeReceivedAnswer(deps, attempt.id)
  await close()
}
