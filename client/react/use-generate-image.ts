import { useCallback, useRef, useState } from 'react'
import type { GenerateInput, RequestOptions, RunningTask } from '../index.ts'
import { useDarkroom } from './context.ts'
import { useTask, type TaskView } from './use-task.ts'

export interface ImageGeneration extends TaskView {
  /**
   * Creates a task and watches it. Until the first call has an answer, others return the same task: double
   * clicks and the effects of strict mode do not pay twice.
   */
  generate: (input: GenerateInput, options?: RequestOptions) => Promise<RunningTask>
  /** From `generate` until the task has its result. */
  isPending: boolean
}

/** Creates tasks, and watches the latest. A task goes on when the component is unmounted: keep its id. */
export function useGenerateImage(): ImageGeneration {
  const darkroom = useDarkroom()
  const [created, setCreated] = useState<RunningTask>()
  const [failure, setFailure] = useState<Error>()
  const [isSending, setIsSending] = useState(false)
  const sending = useRef<Promise<RunningTask>>(undefined)
  const { task = created?.state, error } = useTask(created?.id, created?.state)

  const generate = useCallback(
    (input: GenerateInput, options?: RequestOptions) => {
      sending.current ??= send()
      return sending.current

      async function send(): Promise<RunningTask> {
        setIsSending(true)
        setFailure(undefined)
        try {
          const running = await darkroom.generate(input, options)
          setCreated(running)
          return running
        } catch (problem) {
          setFailure(problem as Error)
          throw problem
        } finally {
          sending.current = undefined
          setIsSending(false)
        }
      }
    },
    [darkroom],
  )

  const isRunning = task?.status === 'QUEUED' || task?.status === 'RUNNING'
  return { generate, task, error: failure ?? error, isPending: isSending || (isRunning && !error) }
}
