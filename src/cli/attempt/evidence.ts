import { listAssets } from '../../db/tasks/assets.ts'
import { listAudit, type AuditRow } from '../../db/access/audit.ts'
import { listCallbacks } from '../../db/attempts/callbacks.ts'
import type { Queries } from '../../db/connection/database.ts'
import { listLines } from '../../db/money/ledger.ts'
import type { AttemptRow, LedgerRow, TaskRow } from '../../db/tables/tables.ts'
import { getTask } from '../../db/tasks/tasks.ts'
import type { Provider } from '../../providers/provider.ts'

/** All that is known of an attempt. */
export interface Evidence {
  attempt: AttemptRow
  task: TaskRow
  /** Of the ledger, oldest first. */
  lines: LedgerRow[]
  /** Latest first. */
  decisions: AuditRow[]
  /** How often its upstream called back. */
  callbacks: number
  /** How many images of its own are stored. */
  images: number
  /** Undefined when it is not configured any more. */
  provider: Provider | undefined
}

/** Gathers what is known of an attempt. */
export async function evidenceOf(
  q: Queries,
  attempt: AttemptRow,
  providers: readonly Provider[],
): Promise<Evidence> {
  const assets = await listAssets(q, [attempt.taskId])
  return {
    attempt,
    task: await getTask(q, attempt.taskId),
    lines: await listLines(q, [attempt.id]),
    decisions: await listAudit(q, attempt.id),
    callbacks: (await listCallbacks(q, attempt.id)).length,
    images: assets.filter(({ attemptId, kind }) => attemptId === attempt.id && kind === 'FINAL').length,
    provider: providers.find(({ name }) => name === attempt.provider),
  }
}
