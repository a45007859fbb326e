import { TaskError } from './errors.ts'
import type { Image, Task, TaskEvent } from './generated.ts'

/** A created task. Iterate over it to receive every event once, to the last. */
export interface RunningTask extends AsyncIterable<TaskEvent> {
  readonly id: string
  /** Latest known. */
  readonly state: Task
  /**
   * Resolves to the results. Rejects with TaskError if the task failed or was canceled, or when its outcome
   * becomes unknown; it may still end.
   */
  images(): Promise<Image[]>
  /** Resolves to the state afterwards; a provider that has started is still paid. Idempotent. */
  cancel(): Promise<Task>
}

export function createRunningTask(
  created: Task,
  { watch, cancel }: { watch: (after: string) => AsyncIterable<TaskEvent>; cancel: () => Promise<Task> },
): RunningTask {
  let state = created
  const update = (task: Task) => {
    if (task.revision >= state.revision) state = task
    return task
  }
  async function* events() {
    for await (const event of watch(created.lastCursor)) {
      update(event.task)
      yield event
    }
  }
  return {
    id: created.id,
    get state() {
      return state
    },
    [Symbol.asyncIterator]: events,
    async images() {
      for await (const _ of hasSettled(state) ? [] : events()) if (hasSettled(state)) break
      if (state.status === 'SUCCEEDED') return state.images
      throw failureOf(state)
    },
    cancel: async () => update(await cancel()),
  }
}

/** The result is known, or needs help. */
function hasSettled({ status }: Task): boolean {
  return status !== 'QUEUED' && status !== 'RUNNING'
}

function failureOf(task: Task): TaskError {
  const { status, error } = task
  if (status === 'CANCELED') return new TaskError('CANCELED', 'The task was canceled.', task)
  return new TaskError(error?.code ?? status, error?.message ?? `The task is ${status}.`, task)
}
