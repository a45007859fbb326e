import type { TaskStatus } from '../../domain.ts'
import type { Format } from '../screen.ts'

export const STATUS_FORMATS: Readonly<Record<TaskStatus, Format>> = {
  QUEUED: 'dim',
  RUNNING: 'cyan',
  SUCCEEDED: 'green',
  OUTCOME_UNKNOWN: 'yellow',
  FAILED: 'red',
  CANCELED: 'dim',
}

/** `outcome_unknown`, as options accept it. */
export function statusText(status: TaskStatus): string {
  return status.toLowerCase()
}
