import { createEndpoint, type EndpointOptions } from './endpoint.ts'
import { ConnectionError, createError, NotFoundError } from './errors.ts'
import { follow } from './follow.ts'
import * as operations from './generated.ts'
import type { RetryTaskInput, Task, TaskEvent, TaskFilter, TaskStatus, UsageReport } from './generated.ts'
import { request, type RequestOptions } from './request.ts'
import { createRunningTask, type RunningTask } from './task.ts'
import { createTransport, type TransportOptions } from './transport.ts'
import { takeFiles, type GenerateInput } from './upload.ts'

export interface ClientOptions extends EndpointOptions, TransportOptions {
  /** Total wait between tries while the server cannot be reached. Default 2 minutes. */
  giveUpAfterMs?: number | undefined
  /** Time limit of one try of a request; 20 times as long with files. Default 30 seconds. */
  timeoutMs?: number | undefined
}

export interface WatchOptions {
  /** Cursor of the last known event. By default, delivery begins with the current state. */
  after?: string | undefined
  signal?: AbortSignal | undefined
}

export interface FeedOptions extends WatchOptions {
  /** What a task must meet at the time of delivery. All tasks by default. */
  filter?: TaskFilter | undefined
}

type UsageRequest = Parameters<NonNullable<(typeof operations.Usage)['types']>>[0]

export interface Darkroom {
  /**
   * Creates a task. Repeated until the server has answered: a key made here, or `input.idempotencyKey`, makes
   * it one task. Rejects with InputError, BudgetError and others before anything is charged.
   */
  generate(input: GenerateInput, options?: RequestOptions): Promise<RunningTask>
  /** Null if the project has no such task. */
  task(id: string, options?: RequestOptions): Promise<Task | null>
  /** Every event after `after` once, through disconnects and restarts. Ends after TaskFinished. */
  watch(taskId: string, options?: WatchOptions): AsyncGenerator<TaskEvent, void>
  /**
   * Every event of the project's tasks once. Without `after`, a TaskSnapshot of each unfinished task (the
   * newest 100) comes first. Never ends.
   */
  feed(options?: FeedOptions): AsyncGenerator<TaskEvent, void>
  /** Idempotent. Rejects with ConflictError if the task has succeeded or failed. */
  cancel(taskId: string, options?: RequestOptions): Promise<Task>
  /** Repeats a FAILED or CANCELED task as a new one; resumes one that is OUTCOME_UNKNOWN. */
  retry(input: RetryTaskInput, options?: RequestOptions): Promise<RunningTask>
  usage(range: UsageRequest, options?: RequestOptions): Promise<UsageReport>
  /** Ends all requests and iterations with an error. */
  close(): void
}

const GIVE_UP_AFTER_MS = 120_000
const TIMEOUT_MS = 30_000
const UNFINISHED: readonly TaskStatus[] = ['QUEUED', 'RUNNING', 'OUTCOME_UNKNOWN']

/**
 * ```ts
 * const darkroom = createClient({ url: 'http://127.0.0.1:4000' })
 * const task = await darkroom.generate({ prompt: 'a lighthouse at dusk' })
 * const [image] = await task.images()
 * ```
 */
export function createClient(clientOptions: ClientOptions): Darkroom {
  const { giveUpAfterMs = GIVE_UP_AFTER_MS, timeoutMs = TIMEOUT_MS } = clientOptions
  const closing = new AbortController()
  const endpoint = createEndpoint(clientOptions)
  const transport = createTransport(endpoint, clientOptions)
  const settings = { endpoint, giveUpAfterMs, timeoutMs, closed: closing.signal }
  const untilClosed = (signal: AbortSignal | undefined) =>
    signal ? AbortSignal.any([signal, closing.signal]) : closing.signal

  const run = (task: Task): RunningTask =>
    createRunningTask(task, {
      watch: (after) => darkroom.watch(task.id, { after }),
      cancel: () => darkroom.cancel(task.id),
    })

  const darkroom: Darkroom = {
    async generate(given, requestOptions) {
      const { input, files } = await takeFiles(given)
      const idempotencyKey = input.idempotencyKey ?? createKey()
      const variables = { input: { ...input, idempotencyKey } }
      const options = { ...requestOptions, files }
      return run(taskOf(await request(settings, operations.GenerateImage, variables, 'IDEMPOTENT', options)))
    },

    async task(id, requestOptions) {
      try {
        return await request(settings, operations.FindTask, { id }, 'IDEMPOTENT', requestOptions)
      } catch (error) {
        if (error instanceof NotFoundError) return null
        throw error
      }
    },

    watch(taskId, { after, signal } = {}) {
      const subscribe = (cursor: string | undefined) => ({
        query: operations.WatchTask,
        variables: { taskId, after: cursor },
      })
      return follow(transport, subscribe, { ...settings, after, signal: untilClosed(signal) })
    },

    async *feed({ filter, after, signal: given } = {}) {
      const signal = untilClosed(given)
      let position = after
      if (position === undefined) {
        // In one read: a connection lost between two snapshots would lose the others.
        const variables = { filter: { ...filter, statuses: unfinishedOf(filter) } }
        const start = await request(settings, operations.NewestTasks, variables, 'IDEMPOTENT', { signal })
        position = start.feedCursor
        for (const task of start.nodes) yield snapshotOf(task, position)
      }
      const subscribe = (cursor: string | undefined) => ({
        query: operations.WatchFeed,
        variables: { filter, after: cursor },
      })
      yield* follow(transport, subscribe, { ...settings, after: position, signal })
    },

    async cancel(id, requestOptions) {
      return taskOf(await request(settings, operations.CancelTask, { id }, 'ONCE', requestOptions))
    },

    async retry(input, requestOptions) {
      return run(taskOf(await request(settings, operations.RetryTask, { input }, 'ONCE', requestOptions)))
    },

    usage: (range, requestOptions) =>
      request(settings, operations.Usage, range, 'IDEMPOTENT', requestOptions),

    close: () => closing.abort(new ConnectionError('CLOSED', 'The client was closed.')),
  }
  return darkroom
}

/** crypto.randomUUID exists on pages with TLS only. */
function createKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

function taskOf({ task }: { task: Task | null }): Task {
  if (task) return task
  const details = { charged: 'UNKNOWN' } as const
  throw createError('INTERNAL_SERVER_ERROR', 'The server did its work, and failed to read the task.', details)
}

function unfinishedOf(filter: TaskFilter | undefined): TaskStatus[] {
  return UNFINISHED.filter((status) => filter?.statuses?.includes(status) ?? true)
}

function snapshotOf(task: Task, cursor: string): TaskEvent {
  return { type: 'TaskSnapshot', cursor, at: new Date().toISOString(), task, resync: false }
}
