// Presses of Generate, each with its idempotency key: uploading, refused, or accepted as a task.
import type { Connection, GenerateInput, UploadProgress } from '../api/connection.ts'
import { isRunning, type TaskStore } from '../live/task-store.ts'

export interface Job {
  /** The idempotency key: every repetition of this press has it. */
  readonly key: string
  readonly prompt: string
  /** Images of the form, for comparison with the results. */
  readonly sourceId: string | undefined
  state: 'sending' | 'refused' | 'accepted'
  progress?: UploadProgress | undefined
  error?: Error | undefined
  taskId?: string | undefined
}

export interface Jobs {
  list: () => readonly Job[]
  subscribe: (listener: () => void) => () => void
  /** Resolves to whether a task was created. */
  send: (press: { prompt: string; sourceId: string | undefined; input: GenerateInput }) => Promise<boolean>
  /** Sends a refused press once more, under its key. */
  repeat: (key: string) => Promise<boolean>
  dismiss: (key: string) => void
  /** Whether as many run as there is room for. */
  isFull: () => boolean
}

/** Side by side below the form. */
export const MAX_JOBS = 8

export function createJobs({ connection, store }: { connection: Connection; store: TaskStore }): Jobs {
  const inputs = new Map<string, GenerateInput>()
  const listeners = new Set<() => void>()
  let jobs: readonly Job[] = []

  function change(next: readonly Job[]): void {
    jobs = next
    for (const listener of listeners) listener()
  }

  function update(key: string, part: Partial<Job>): void {
    change(jobs.map((job) => (job.key === key ? { ...job, ...part } : job)))
  }

  function isUnfinished({ state, taskId }: Job): boolean {
    const task = taskId === undefined ? undefined : store.get(taskId)
    return state === 'sending' || (task !== undefined && isRunning(task))
  }

  async function run(key: string): Promise<boolean> {
    const input = inputs.get(key)
    if (!input) return false
    update(key, { state: 'sending', error: undefined, progress: undefined })
    const hasFiles = [...(input.images ?? []), input.mask, input.markup].some((one) => one instanceof Blob)
    try {
      const task = await connection.generate(
        { ...input, idempotencyKey: key },
        hasFiles ? { onUploadProgress: (progress) => update(key, { progress }) } : {},
      )
      if (!task) throw new Error('The task was created but could not be read. It is on the page Live.')
      store.put([task])
      inputs.delete(key)
      update(key, { state: 'accepted', taskId: task.id, progress: undefined })
      return true
    } catch (error) {
      update(key, { state: 'refused', error: error as Error, progress: undefined })
      return false
    }
  }

  return {
    list: () => jobs,
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    send({ prompt, sourceId, input }) {
      const key = createKey()
      inputs.set(key, input)
      // Newest first; the oldest one that does not run makes room.
      const oldest = jobs.length < MAX_JOBS ? undefined : jobs.findLast((job) => !isUnfinished(job))
      change([{ key, prompt, sourceId, state: 'sending' }, ...jobs.filter((job) => job !== oldest)])
      return run(key)
    },
    repeat: run,
    dismiss(key) {
      inputs.delete(key)
      change(jobs.filter((job) => job.key !== key))
    },
    isFull: () => jobs.filter(isUnfinished).length >= MAX_JOBS,
  }
}

/** crypto.randomUUID exists on pages with TLS only. */
function createKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
