import { rm } from 'node:fs/promises'
import { findAnyAttempt } from '../../db/attempts/attempts.ts'
import type { AttemptRow } from '../../db/tables/tables.ts'
import { getTask } from '../../db/tasks/tasks.ts'
import type { AttemptState } from '../../domain.ts'
import type { Deps } from '../deps.ts'
import { landImages } from '../images/ingest.ts'
import { dropReceipt, listReceipts, type Receipt } from '../attempts/received-answer.ts'
import { findOffer } from '../routing/configured.ts'
import { settle } from '../attempts/settle.ts'

const UNSETTLED: ReadonlySet<AttemptState> = new Set(['SENDING', 'ACCEPTED', 'UNKNOWN'])

/**
 * Finishes what was received and not written down before a crash: nothing is sent, the pictures are there. What a living
 * worker is busy with is left to it; `all` says that there is none but this one.
 */
export async function adoptReceipts(deps: Deps, which: { all: boolean }, over: AbortSignal): Promise<void> {
  for (const receipt of await listReceipts(deps)) {
    await adopt(deps, receipt, which, over).catch((error: unknown) => {
      deps.log.error(
        { attempt: receipt.attemptId, err: error },
        'a received answer cannot be adopted; trying again',
      )
    })
  }
}

async function adopt(
  deps: Deps,
  receipt: Receipt,
  { all }: { all: boolean },
  over: AbortSignal,
): Promise<void> {
  const attempt = await findAnyAttempt(deps.db.read, receipt.attemptId)
  if (attempt && isHeld(deps, attempt, all)) return
  if (attempt && UNSETTLED.has(attempt.state)) {
    deps.log.warn({ attempt: attempt.id }, 'adopting an answer that was received before a crash')
    const task = await getTask(deps.db.read, attempt.taskId)
    const images = await landImages(deps, attempt, receipt.images, over)
    const { usage, resolved, evidence } = receipt
    // Null when the configuration has changed since: the cost is then unknown.
    const price = findOffer(deps.providers, attempt.provider, attempt.model)?.price ?? null
    await settle(deps, { task, attempt, evidence }, { is: 'DONE', images, usage, resolved, price })
  }
  await dropReceipt(deps, receipt.attemptId)
  for (const { file } of receipt.images) await rm(file, { force: true })
}

function isHeld({ workerId, clock }: Deps, { leaseOwner, leaseUntil }: AttemptRow, all: boolean): boolean {
  if (leaseOwner === null || leaseUntil === null) return false
  return leaseOwner === workerId || (!all && leaseUntil > clock.now())
}
