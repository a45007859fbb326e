import { findAnyAttempt } from '../../db/attempts/attempts.ts'
import type { TaskRow } from '../../db/tables/tables.ts'
import { findAsset } from '../../db/tasks/assets.ts'
import { deleteImages, findDeletedImage } from '../../db/tasks/deleted-images.ts'
import { countChange, findTask, lockTaskOfProject } from '../../db/tasks/tasks.ts'
import { conflict, notFound } from '../../errors.ts'
import { deciderOf, recordDecision, type Access } from '../access/access.ts'
import type { Deps } from '../deps.ts'
import { checkEnded } from './delete-task.ts'

/** Null once deleted as well. */
export interface DeletedImage {
  task: TaskRow | null
  sha256s: string[]
}

/**
 * Deletes one image of an ended task. Tasks that began with it keep its bytes. Audited. Idempotent. Throws
 * NOT_FOUND, and CONFLICT while its task or attempt is in progress. The caller removes the file.
 */
export async function deleteImage(
  deps: Pick<Deps, 'clock' | 'db'>,
  by: Access,
  id: string,
): Promise<DeletedImage> {
  const { projectId } = by
  const at = deps.clock.now()
  return deps.db.tx(async (q) => {
    const found = (await findAsset(q, projectId, id)) ?? (await findDeletedImage(q, id))
    if (found?.projectId !== projectId) throw notFound('image', id, 'id')
    const task = await lockTaskOfProject(q, projectId, found.taskId)
    // Read again under the lock.
    const image = await findAsset(q, projectId, id)
    if (!task || !image) return { task: task ?? null, sha256s: [] }
    checkEnded(task)
    const attempt = image.attemptId === null ? undefined : await findAnyAttempt(q, image.attemptId)
    if (attempt?.state === 'FETCHING')
      throw conflict(`Other images of ${attempt.id} are still being downloaded. Delete it after that.`, 'id')
    await deleteImages(q, [image], at)
    await countChange(q, task.id)
    const detail = { task: task.id, kind: image.kind }
    await recordDecision(q, deciderOf(by), { projectId, at, action: 'deleteImage', subject: id, detail })
    return { task: (await findTask(q, projectId, task.id)) ?? null, sha256s: [image.sha256] }
  })
}
