import { listAttempts } from '../../db/attempts/attempts.ts'
import type { Transaction } from '../../db/connection/database.ts'
import { eraseTask } from '../../db/maintenance/deletion.ts'
import type { AttemptRow, TaskRow } from '../../db/tables/tables.ts'
import { listAssets } from '../../db/tasks/assets.ts'
import { deleteImages } from '../../db/tasks/deleted-images.ts'
import { lockTaskOfProject } from '../../db/tasks/tasks.ts'
import { isFinished, type TaskError } from '../../domain.ts'
import { conflict, notFound } from '../../errors.ts'
import { deciderOf, recordDecision, type Access } from '../access/access.ts'
import { applyTransition } from '../attempts/apply-transition.ts'
import { concludeTask } from '../attempts/conclude.ts'
import { hasEnded } from '../attempts/machine.ts'
import { discardAnswers } from '../attempts/received-answer.ts'
import type { Deps } from '../deps.ts'

export interface LeftFiles {
  sha256s: string[]
  attempts: AttemptRow[]
}

/**
 * Deletes prompt, images, labels and deliveries. Attempts and money records stay. A late result is recorded,
 * and its images are dropped. Audited. Idempotent. Throws NOT_FOUND, and CONFLICT for a task that has not
 * ended. The caller removes the files.
 */
export async function deleteTask(
  deps: Deps,
  by: Pick<Access, 'projectId' | 'apiKeyId' | 'operator'>,
  id: string,
): Promise<LeftFiles> {
  const { projectId } = by
  const at = deps.clock.now()
  return deps.db.tx(async (q) => {
    const task = await lockTaskOfProject(q, projectId, id, { withDeleted: true })
    if (!task) throw notFound('task', id, 'id')
    if (task.deletedAt !== null) return { sha256s: [], attempts: [] }
    checkEnded(task)
    const left = await removeTask(q, deps, task, at)
    const detail = { status: task.status, images: String(left.sha256s.length) }
    await recordDecision(q, deciderOf(by), { projectId, at, action: 'deleteTask', subject: id, detail })
    return left
  })
}

/** Undefined when deleted or resumed meanwhile. */
export async function deleteExpiredTask(
  deps: Deps,
  { id, projectId }: Pick<TaskRow, 'id' | 'projectId'>,
): Promise<LeftFiles | undefined> {
  return deps.db.tx(async (q) => {
    const task = await lockTaskOfProject(q, projectId, id)
    return task && isFinished(task.status) ? removeTask(q, deps, task, deps.clock.now()) : undefined
  })
}

/** Throws CONFLICT. */
export function checkEnded({ id, status, cancelRequestedAt }: TaskRow): void {
  if (isFinished(status)) return
  const remedy =
    cancelRequestedAt === null
      ? 'Cancel it first, or wait for its end.'
      : 'Its cancelation was requested; wait for its end.'
  throw conflict(`${id} is ${status}; it can be deleted once it has ended. ${remedy}`, 'id')
}

async function removeTask(q: Transaction, deps: Deps, task: TaskRow, at: number): Promise<LeftFiles> {
  const images = await listAssets(q, [task.id])
  await deleteImages(q, images, at)
  // Without their addresses, no worker can end them.
  for (const { id, state } of await listAttempts(q, [task.id])) {
    if (state !== 'FETCHING') continue
    const ended = await applyTransition(q, id, 'fail', { at, charged: 'YES', error: NOT_FETCHED })
    if (ended) await concludeTask(q, deps, task, ended, at)
  }
  const attempts = await listAttempts(q, [task.id])
  await eraseTask(q, task, attempts, at)
  return { sha256s: [...new Set(images.map(({ sha256 }) => sha256))], attempts }
}

const NOT_FETCHED: TaskError = {
  code: 'RESULT_UNREACHABLE',
  message: '',
  retryable: false,
  charged: 'YES',
  providerRequestId: null,
}

/** While the outcome is unknown, the record decides about the charge, and recovery removes it. */
export async function discardFiles(deps: Pick<Deps, 'store'>, { attempts }: LeftFiles): Promise<void> {
  const ended = attempts.filter(({ state }) => hasEnded(state))
  await discardAnswers(
    deps,
    attempts.map(({ id }) => id),
    ended.map(({ id }) => id),
  )
}
