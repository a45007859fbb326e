import type { TaskRow } from '../../db/tables/tables.ts'
import type { TaskEventBody } from '../../domain.ts'

/** `task` is at least as new as the event. */
export interface FeedItem {
  /** Pass as `after` to resume after this event. */
  cursor: string
  at: number
  task: TaskRow
  body: TaskEventBody | Snapshot | LeftFilter
}

export interface Snapshot {
  type: 'TASK_SNAPSHOT'
  /** Events after the cursor were removed; this snapshot replaces them. */
  resync: boolean
}

interface LeftFilter {
  type: 'TASK_LEFT_FILTER'
}
