import type { AttemptRow } from '../db/tables.ts'
import { getTask } from '../db/tasks.ts'
import { openCall } from './call.ts'
import { check } from './check.ts'
import type { Deps, Ends } from './deps.ts'
import { persist } from './persist.ts'
import { send } from './send.ts'
import { settle } from './settle.ts'

/**
 * One step of one claimed attempt: send it, or ask how it is doing, and settle what came of it. Nothing waits in
 * memory between steps.
 */
export async function takeStep(deps: Deps, attempt: AttemptRow, { cut, over }: Ends): Promise<void> {
  const task = await getTask(deps.db.read, attempt.taskId)
  // The runner claims only for the providers it has.
  const provider = deps.providers.find(({ name }) => name === attempt.provider)!
  const open = openCall(deps, task, attempt, provider.timeoutMs, cut)
  try {
    const { call, evidence } = open
    const of = { task, attempt, evidence }
    const outcome =
      attempt.state === 'ACCEPTED'
        ? await check(deps, of, call, over)
        : await send(deps, of, call, { cut, over })
    await open.recorded()
    // A picture that was paid for hangs on this write.
    await persist(deps, over, () => settle(deps, of, outcome))
  } finally {
    await open.close()
  }
}
