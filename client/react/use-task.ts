import { useEffect, useState } from 'react'
import type { Task } from '../index.ts'
import { useDarkroom } from './context.ts'

export interface TaskView {
  /** Undefined before it was read. */
  task: Task | undefined
  /** Why the task cannot be watched. */
  error: Error | undefined
}

/**
 * Watches a task to its end. The same after a reload of the page: keep the id, for example in the URL.
 * `initial` is a state from the server, with which it renders first.
 */
export function useTask(id: string | null | undefined, initial?: Task): TaskView {
  const darkroom = useDarkroom()
  const [view, setView] = useState<TaskView & { id?: string | null | undefined }>({
    id,
    task: initial,
    error: undefined,
  })

  useEffect(() => {
    if (!id) return undefined
    const abort = new AbortController()
    const watch = async () => {
      try {
        for await (const { task } of darkroom.watch(id, { signal: abort.signal }))
          setView((last) =>
            last.id === id && isNewer(last.task, task) ? last : { id, task, error: undefined },
          )
      } catch (error) {
        if (abort.signal.aborted) return
        setView((last) => ({ id, task: last.id === id ? last.task : undefined, error: error as Error }))
      }
    }
    void watch()
    return () => abort.abort()
  }, [darkroom, id])

  // Before the effect, the state may be that of another task.
  return view.id === id ? view : { task: undefined, error: undefined }
}

/** A late state may be older. */
export function isNewer(known: Task | undefined, arrived: Task): boolean {
  return known !== undefined && known.id === arrived.id && known.revision > arrived.revision
}
