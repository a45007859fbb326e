import { rm } from 'node:fs/promises'
import { findAnyAttempt } from '../../db/attempts/attempts.ts'
import type { AttemptRow } from '../../db/tables/tables.ts'
import { getTask } from '../../db/tasks/tasks.ts'
import type { AttemptState } from '../../domain.ts'
import type { Deps } from '../deps.ts'
import { ingestImages } from '../images/ingest.ts'
import {
  removeReceivedAnswer,
  listReceivedAnswers,
  type ReceivedAnswer,
} from '../attempts/received-answer.ts'
import { settle, type SettleDeps } from '../attempts/settle.ts'

type AdoptDeps = SettleDeps & Pick<Deps, 'ingestLimit' | 'workerId'>

const UNSETTLED: ReadonlySet<AttemptState> = new Set(['SENDING', 'ACCEPTED', 'UNKNOWN'])

/**
 * Adopts answers that were received and not settled before a crash: nothing is sent, the images are there. Attempts that a
 * live worker holds are left to it; with `all` there is no worker but this one.
 */
export async function adoptReceivedAnswers(
  deps: AdoptDeps,
  which: { all: boolean },
  over: AbortSignal,
): Promise<void> {
  for (const answer of await listReceivedAnswers(deps)) {
    await adopt(deps, answer, which, over).catch((error: unknown) => {
      deps.log.error(
        { attempt: answer.attemptId, err: error },
        'a received answer cannot be adopted; trying again',
      )
    })
  }
}

async function adopt(
  deps: AdoptDeps,
  answer: ReceivedAnswer,
  { all }: { all: boolean },
  over: AbortSignal,
): Promise<void> {
  const attempt = await findAnyAttempt(deps.db.read, answer.attemptId)
  if (attempt && isHeld(deps, attempt, all)) return
  if (attempt && UNSETTLED.has(attempt.state)) {
    deps.log.warn({ attempt: attempt.id }, 'adopting an answer that was received before a crash')
    const task = await getTask(deps.db.read, attempt.taskId)
    const images = await ingestImages(deps, attempt, answer.images, over)
    const { usage, resolved, evidence } = answer
    await settle(deps, { task, attempt, evidence }, { is: 'DONE', images, usage, resolved })
  }
  await removeReceivedAnswer(deps, answer.attemptId)
  for (const { file } of answer.images) await rm(file, { force: true })
}

function isHeld(
  { workerId, clock }: Pick<Deps, 'workerId' | 'clock'>,
  { leaseOwner, leaseUntil }: AttemptRow,
  all: boolean,
): boolean {
  if (leaseOwner === null || leaseUntil === null) return false
  return leaseOwner === workerId || (!all && leaseUntil > clock.now())
}
