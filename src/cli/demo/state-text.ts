import type { TaskState } from './replies.ts'

const TEXTS = {
  QUEUED: 'in the queue',
  RUNNING: 'developing',
  SUCCEEDED: 'fixed',
  OUTCOME_UNKNOWN: 'outcome unknown',
  FAILED: 'failed',
  CANCELED: 'canceled',
} as const

/** What the task is doing, in the words of a darkroom. */
export function stateText({ status, queuePosition }: TaskState): string {
  return queuePosition ? `${TEXTS[status]}, ${queuePosition} before it` : TEXTS[status]
}
