import { useEffect, useState } from 'react'
import type { Task, TaskFilter } from '../index.ts'
import { useDarkroom } from './context.ts'
import { isNewer } from './use-task.ts'

export interface TaskFeedView {
  /** Unfinished, or with an event since, newest first; at most 100. */
  tasks: Task[]
  /** Why the feed has ended. */
  error: Error | undefined
}

const MAX_TASKS = 100
const EMPTY: TaskFeedView = { tasks: [], error: undefined }

/** The project's tasks that meet the filter, live. One that no longer meets it keeps its last state. */
export function useTaskFeed(filter?: TaskFilter): TaskFeedView {
  const darkroom = useDarkroom()
  const [view, setView] = useState(EMPTY)
  // A filter in the component is a new object on each render.
  const key = JSON.stringify(filter ?? {})

  useEffect(() => {
    const abort = new AbortController()
    const watch = async () => {
      try {
        const feed = darkroom.feed({ filter: JSON.parse(key), signal: abort.signal })
        for await (const { task } of feed)
          setView((last) => ({ tasks: withTask(last.tasks, task), error: undefined }))
      } catch (error) {
        if (!abort.signal.aborted) setView((last) => ({ ...last, error: error as Error }))
      }
    }
    void watch()
    return () => {
      abort.abort()
      setView(EMPTY)
    }
  }, [darkroom, key])

  return view
}

/** Ids sort by creation time. */
function withTask(tasks: readonly Task[], task: Task): Task[] {
  if (
    isNewer(
      tasks.find(({ id }) => id === task.id),
      task,
    )
  )
    return [...tasks]
  const others = tasks.filter(({ id }) => id !== task.id)
  return [...others, task].sort((a, b) => (a.id < b.id ? 1 : -1)).slice(0, MAX_TASKS)
}
