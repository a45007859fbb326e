import type { Database } from '../../src/db/database.ts'
import { DEFAULT_PROJECT } from '../../src/db/projects.ts'
import type { TaskRow } from '../../src/db/tables.ts'
import { insertTask } from '../../src/db/tasks.ts'
import type { ImageRequest } from '../../src/domain.ts'
import { newId } from '../../src/ids.ts'

/** A request with every setting at its default. */
export const plainRequest: ImageRequest = {
  operation: 'GENERATE',
  prompt: 'a brass kettle on slate',
  model: 'gpt-image-2',
  size: 'auto',
  quality: 'AUTO',
  background: 'AUTO',
  moderation: 'AUTO',
  outputFormat: 'PNG',
  outputCompression: null,
  inputFidelity: null,
  style: null,
  n: 1,
  partialImages: 0,
  user: null,
  providers: null,
  images: [],
  mask: null,
  metadata: {},
  unsupported: 'WARN',
  onUnknownOutcome: 'HOLD',
  maxCharges: 1,
  callbackUrl: null,
}

/** A queued task in the default project, without an attempt. */
export async function newTask(db: Database): Promise<TaskRow> {
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
    }),
  )
  return task!
}
