import { listAudit } from '../../db/access/audit.ts'
import { listAddresses } from '../../db/attempts/addresses.ts'
import { findAnyAttempt, listAttempts } from '../../db/attempts/attempts.ts'
import { listCallbacks } from '../../db/attempts/callbacks.ts'
import type { Queries } from '../../db/connection/database.ts'
import { listLines } from '../../db/money/ledger.ts'
import { listAssets } from '../../db/tasks/assets.ts'
import { getTask } from '../../db/tasks/tasks.ts'
import type { Provider } from '../../providers/provider.ts'

export type Evidence = Awaited<ReturnType<typeof findEvidence>>[number]

/** Of an attempt, or of a task's attempts. Empty for an unknown id. */
export async function findEvidence(q: Queries, id: string, providers: readonly Provider[]) {
  const one = await findAnyAttempt(q, id)
  const attempts = one ? [one] : await listAttempts(q, [id])
  return Promise.all(
    attempts.map(async (attempt) => {
      const assets = await listAssets(q, [attempt.taskId])
      return {
        attempt,
        task: await getTask(q, attempt.taskId),
        lines: await listLines(q, [attempt.id]),
        decisions: await listAudit(q, attempt.id),
        /** Of images that are not stored. */
        addresses: await listAddresses(q, [attempt.id]),
        callbacks: (await listCallbacks(q, attempt.id)).length,
        images: assets.filter(({ attemptId, kind }) => attemptId === attempt.id && kind === 'FINAL').length,
        /** Undefined if no longer configured. */
        provider: providers.find(({ name }) => name === attempt.provider),
      }
    }),
  )
}
