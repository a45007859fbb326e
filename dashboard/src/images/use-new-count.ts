import { useEffect, useState } from 'react'
import { matches } from '../live/filter.ts'
import { useSession } from '../session/context.ts'
import { taskSearchOf, type ImagesSearch } from './images-search.ts'

/** How many results that meet the conditions have come since the list was read. */
export function useNewCount(search: ImagesSearch): { count: number; reset: () => void } {
  const { feed } = useSession()
  const [count, setCount] = useState(0)
  const key = JSON.stringify(search)
  useEffect(() => {
    setCount(0)
    const current = JSON.parse(key) as ImagesSearch
    const { kind, to } = current
    const ofTask = taskSearchOf(current)
    if (kind === 'input' || to !== undefined) return undefined
    return feed.subscribeEvents(({ type, task }) => {
      if (type === 'TaskFinished' && matches(task, ofTask)) setCount((last) => last + task.images.length)
    })
  }, [feed, key])
  return { count, reset: () => setCount(0) }
}
