// What is counted when something has ended, after its transaction has committed.
import type { AttemptRow, TaskRow } from '../../db/tables/tables.ts'
import type { TaskStatus } from '../../domain.ts'
import { isFinished } from '../../domain.ts'
import type { Deps } from '../deps.ts'

/** An attempt has ended, or its outcome has become unknown. */
export function countEnd({ metrics: { done } }: Deps, task: TaskRow, moved: AttemptRow): void {
  const { provider, model, state } = moved
  done.attemptsEnded.inc({ provider, model, outcome: state.toLowerCase() })
  if (state !== 'SUCCEEDED') return
  if (isFinished(task.status)) done.darkResults.inc({ provider })
  for (const [type, tokens] of [
    ['input', moved.inputTokens],
    ['output', moved.outputTokens],
  ] as const)
    if (tokens !== null) done.tokens.inc({ provider, model, type }, tokens)
}

/** A task has ended for good, `ms` after it was asked for. */
export function countTaskEnd({ metrics: { done } }: Deps, status: TaskStatus, ms: number): void {
  done.tasksFinished.inc({ status: status.toLowerCase() })
  done.taskSeconds.observe({ status: status.toLowerCase() }, ms / 1000)
}
