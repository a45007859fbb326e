import { EXIT } from '../exit.ts'
import type { Paint } from '../screen.ts'
import { costText } from './bill.ts'
import type { TaskResult } from './replies.ts'

/** How it ended: lines to show, and the exit code. A success has nothing to explain. */
export function ending(task: TaskResult, paint: Paint): { lines: string[]; exitCode: number } {
  if (task.status === 'SUCCEEDED') return { lines: [], exitCode: EXIT.ok }
  const title = TITLES[task.status] ?? `The task stands at ${task.status}.`
  const why = task.error ? [`  ${task.error.message} (${task.error.code})`] : []
  const advice =
    task.error?.retryable && task.charged === 'NO' ? ['  Asking again later may end differently.'] : []
  return {
    lines: [`  ${paint(['bold', 'red'], title)}`, ...why, `  ${chargeText(task)}`, ...advice],
    exitCode: EXIT.failed,
  }
}

const TITLES: Partial<Record<TaskResult['status'], string>> = {
  FAILED: 'No picture this time.',
  CANCELED: 'The task was canceled.',
  OUTCOME_UNKNOWN: 'Nobody knows how it ended: the request was sent, but its answer was lost.',
}

function chargeText(task: TaskResult): string {
  if (task.charged === 'NO') return 'Nothing was charged.'
  const known = task.costMicros !== null
  if (task.charged === 'YES')
    return known ? `It cost ${costText(task)}.` : 'It was charged; how much is unknown.'
  const provider = task.provider ? `the account at ${task.provider.name}` : "the provider's account"
  return `It may have been charged${known ? `, up to ${costText(task)}` : ''}: see ${provider}. It is not sent again by itself.`
}
