import type { CallerWithLimits } from '../access/limiter.ts'
import type { Deps } from '../deps.ts'
import { storeInputs } from '../images/store-inputs.ts'
import { findRoutes } from '../routing/route.ts'
import type { Calls, WaitingCall } from './calls.ts'
import { insertNew, toRequest, type CreatedTask } from './create.ts'
import { checkInput, type TaskInput } from './input.ts'

/**
 * The task of a client that waits without an idempotency key: that of the call which it repeats, or a new one. A repeated call
 * needs no provider and counts against no limit of tasks. Throws as `createTask`.
 */
export async function createForCall(
  deps: Deps,
  by: CallerWithLimits,
  input: TaskInput,
  { call, calls }: { call: WaitingCall; calls: Calls },
): Promise<CreatedTask> {
  const checked = checkInput(input, deps)
  const { projectId } = by
  await deps.limiter.countSubmission(by, { tasks: 0, uploadBytes: checked.uploadBytes })
  const inputs = await storeInputs(deps, projectId, checked.inputs)
  const { request, fingerprint } = toRequest(checked, inputs)
  const key = { projectId, caller: call.caller, fingerprint }
  const served = await calls.serve(key, call, async () => {
    const [route] = await findRoutes(deps.db.read, deps, by, checked)
    await deps.limiter.countSubmission(by, { tasks: 1, uploadBytes: 0 })
    const start = { request, fingerprint, key: null, route: route!, inputs }
    return async (q) => (await insertNew(q, deps, by, start))!
  })
  return { ...served, replayed: served.attached !== undefined }
}
