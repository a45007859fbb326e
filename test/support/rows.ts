import type { Database } from '../../src/db/connection/database.ts'
import { DEFAULT_PROJECT } from '../../src/db/access/projects.ts'
import type { TaskRow } from '../../src/db/tables/tables.ts'
import { insertTask } from '../../src/db/tasks/tasks.ts'
import { DEFAULT_POLICIES, DEFAULT_SETTINGS, type ImageRequest } from '../../src/domain.ts'
import { newId } from '../../src/ids.ts'

/** A request with default settings. */
export const plainRequest: ImageRequest = {
  ...DEFAULT_SETTINGS,
  ...DEFAULT_POLICIES,
  operation: 'GENERATE',
  prompt: 'a brass kettle on slate',
  providers: null,
  images: [],
  mask: null,
  markup: null,
  metadata: {},
  callbackUrl: null,
}

/** A task in the default project, queued by default, without an attempt. */
export async function newTask(
  db: Database,
  more: Partial<Parameters<typeof insertTask>[1]> = {},
): Promise<TaskRow> {
  const task = await db.tx((q) =>
    insertTask(q, {
      id: newId('task', Date.now()),
      projectId: DEFAULT_PROJECT,
      status: 'QUEUED',
      operation: 'GENERATE',
      model: 'gpt-image-2',
      request: plainRequest,
      fingerprint: 'none',
      maxCharges: 1,
      warnings: [],
      createdAt: Date.now(),
      ...more,
    }),
  )
  return task!
}
