import { useCallback, useEffect, useState } from 'react'
import { ReadTask, WatchTask, type TaskDetail } from '../api/generated.ts'
import { useLiveTask } from '../live/hooks.ts'
import { useSession } from '../session/context.ts'

export interface TaskDetailView {
  task: TaskDetail | undefined
  error: Error | undefined
  reload: () => void
}

/** All of a task, read again after each event that changes more than its progress. */
export function useTaskDetail(id: string): TaskDetailView {
  const { connection, store } = useSession()
  const [detail, setDetail] = useState<TaskDetail>()
  const [error, setError] = useState<Error>()
  const [reads, setReads] = useState(0)
  const live = useLiveTask(store, id)

  useEffect(() => {
    const abort = new AbortController()
    const { signal } = abort
    const read = async () => {
      const found = await connection.read(ReadTask, { id }, signal)
      store.put([found])
      setDetail(found)
      setError(undefined)
      return found
    }
    const watch = async () => {
      const { lastCursor } = await read()
      for await (const event of connection.events(WatchTask, { taskId: id }, { after: lastCursor, signal })) {
        store.apply(event)
        if (event.type !== 'TaskProgressed' && event.type !== 'TaskSnapshot') await read()
      }
    }
    watch().catch((problem: unknown) => {
      if (!signal.aborted) setError(problem as Error)
    })
    return () => abort.abort()
  }, [connection, store, id, reads])

  const reload = useCallback(() => setReads((count) => count + 1), [])
  const known = detail?.id === id ? detail : undefined
  const task = known && live && live.revision > known.revision ? { ...known, ...live } : known
  return { task, error, reload }
}
