import type { TaskRow } from '../../db/tables/tables.ts'
import type { Access } from '../access/access.ts'
import type { Deps } from '../deps.ts'
import { createFileRemoval } from './collect-files.ts'
import { deleteImage } from './delete-image.ts'
import { deleteTask, discardFiles } from './delete-task.ts'

export function createDeletion(deps: Deps, exit: AbortSignal) {
  const files = createFileRemoval(deps, exit)
  return {
    idle: () => files.idle(),

    async deleteTask(by: Access, id: string): Promise<void> {
      const left = await deleteTask(deps, by, id)
      // For clients the task is gone.
      await discardFiles(deps, left).catch((error: unknown) =>
        deps.log.error({ task: id, err: error }, 'removing received answers of a deleted task failed'),
      )
      await files.remove(left.sha256s)
    },

    /** Returns its task. */
    async deleteImage(by: Access, id: string): Promise<TaskRow | null> {
      const { task, sha256s } = await deleteImage(deps, by, id)
      await files.remove(sha256s)
      return task
    },
  }
}
