import { insertAssets } from '../../db/tasks/assets.ts'
import type { TaskRow } from '../../db/tables/tables.ts'
import { findTaskByKey } from '../../db/tasks/tasks.ts'
import { GatewayError } from '../../errors.ts'
import type { CallerWithLimits } from '../access/limiter.ts'
import { startTask } from '../attempts/plan.ts'
import type { Deps } from '../deps.ts'
import { storeInputs } from '../images/store-inputs.ts'
import { findRoutes } from '../routing/route.ts'
import { checkInput, type TaskInput } from './input.ts'
import { toRequest } from './request.ts'

export interface CreatedTask {
  task: TaskRow
  /** True when the idempotency key was known and no task was created. */
  replayed: boolean
}

/**
 * Creates a task: validates the input, stores its images, and commits the task, its first attempts and its first event
 * together. Sends nothing. Throws GatewayError, and then no row was written.
 */
export async function createTask(deps: Deps, by: CallerWithLimits, input: TaskInput): Promise<CreatedTask> {
  const checked = checkInput(input, deps)
  const { projectId } = by
  const { idempotencyKey: key } = checked
  // A known key returns its task, even when no provider could serve the request now.
  const known = key === null ? undefined : await findTaskByKey(deps.db.read, projectId, key)
  const [route] = known ? [] : await findRoutes(deps.db.read, deps, by, checked)
  await deps.limiter.countSubmission(by, { tasks: route ? 1 : 0, uploadBytes: checked.uploadBytes })
  const inputs = await storeInputs(deps, projectId, checked.inputs)
  const { request, fingerprint } = toRequest(checked, inputs)
  if (!route) return replay(known, key, fingerprint)

  return deps.db.tx(async (q) => {
    const start = { by, request, fingerprint, idempotencyKey: key, route, retryOf: null }
    const task = await startTask(q, deps, start)
    // A concurrent request with the same key was first.
    if (!task) return replay(await findTaskByKey(q, projectId, key!), key, fingerprint)
    const { images, mask } = inputs
    const rows = [...images, ...(mask ? [mask] : [])].flatMap(({ row }) => row ?? [])
    await insertAssets(
      q,
      rows.map((row) => ({ ...row, taskId: task.id })),
    )
    return { task, replayed: false }
  })
}

function replay(task: TaskRow | undefined, key: string | null, fingerprint: string): CreatedTask {
  if (task?.fingerprint === fingerprint) return { task, replayed: true }
  throw new GatewayError(
    'IDEMPOTENCY_KEY_REUSED',
    `The idempotency key ${JSON.stringify(key)} belongs to ${task?.id}, which has other input. ` +
      'Use a new key for a new request, or send the same input to get the same task.',
    { field: 'idempotencyKey' },
  )
}
