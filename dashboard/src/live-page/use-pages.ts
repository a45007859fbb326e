import { useCallback, useEffect, useRef, useState } from 'react'
import { ListTasks } from '../api/generated.ts'
import { PAGE_SIZE } from '../live/feed.ts'
import { serverFilterOf, type LiveFilter } from '../live/filter.ts'
import { useSession } from '../session/context.ts'

export interface Pages {
  /** Id of the oldest task that was read: older ones in the store may have gaps. Undefined once all were read. */
  floor: string | undefined
  isReading: boolean
  error: Error | undefined
  readMore: () => void
}

interface State {
  after?: string | null
  floor?: string | undefined
  isAtEnd: boolean
}

/** Reads the pages of the list with its filter into the store. */
export function usePages(search: LiveFilter, isEnabled: boolean): Pages {
  const { connection, store } = useSession()
  const key = JSON.stringify(search)
  const [state, setState] = useState<State>({ isAtEnd: false })
  const [isReading, setIsReading] = useState(false)
  const [error, setError] = useState<Error>()
  const running = useRef<AbortController>(undefined)

  const read = useCallback(
    async (after: string | null | undefined) => {
      const abort = new AbortController()
      running.current?.abort()
      running.current = abort
      setIsReading(true)
      setError(undefined)
      try {
        const filter = serverFilterOf(JSON.parse(key) as LiveFilter)
        const variables = { first: PAGE_SIZE, filter, ...(after && { after }) }
        const page = await connection.read(ListTasks, variables, abort.signal)
        store.put(page.nodes)
        const { hasNextPage, endCursor } = page.pageInfo
        setState({
          after: endCursor,
          floor: hasNextPage ? page.nodes.at(-1)?.id : undefined,
          isAtEnd: !hasNextPage,
        })
        setIsReading(false)
      } catch (problem) {
        if (abort.signal.aborted) return
        setError(problem as Error)
        setIsReading(false)
      }
    },
    [connection, store, key],
  )

  useEffect(() => {
    setState({ isAtEnd: false })
    if (isEnabled) void read(undefined)
    return () => running.current?.abort()
  }, [read, isEnabled])

  const { after, floor, isAtEnd } = state
  return {
    floor,
    isReading,
    error,
    readMore: () => {
      if (!isAtEnd && !isReading && after) void read(after)
    },
  }
}
