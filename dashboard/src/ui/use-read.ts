import { useCallback, useEffect, useState } from 'react'
import type { Connection } from '../api/connection.ts'
import { useSession } from '../session/context.ts'

export interface Read<T> {
  /** The last result. It stays while it is read again, and after an error. */
  data: T | undefined
  error: Error | undefined
  reload: () => void
  put: (data: T) => void
}

export interface ReadOptions {
  isEnabled?: boolean
  /** Between two reads while the tab is visible. */
  refreshMs?: number | undefined
  /** It is read again when this changes. */
  version?: number
}

/**
 * Reads when the page is shown, and again after `reload`, after an error when the network is back, and when `key` changes.
 * `key`: everything that `read` depends on. The data of another key are not shown.
 */
export function useRead<T>(
  read: (connection: Connection, signal: AbortSignal) => Promise<T>,
  key: string,
  { isEnabled = true, refreshMs, version }: ReadOptions = {},
): Read<T> {
  const { connection } = useSession()
  const [state, setState] = useState<{ key: string; data: T }>()
  const [error, setError] = useState<Error>()
  const [reads, setReads] = useState(0)

  useEffect(() => {
    if (!isEnabled) return undefined
    const abort = new AbortController()
    const run = () =>
      read(connection, abort.signal).then(
        (data) => {
          if (abort.signal.aborted) return
          setState({ key, data })
          setError(undefined)
        },
        (problem: unknown) => {
          if (!abort.signal.aborted) setError(problem as Error)
        },
      )
    void run()
    const timer =
      refreshMs === undefined
        ? undefined
        : setInterval(() => {
            if (!document.hidden) void run()
          }, refreshMs)
    return () => {
      abort.abort()
      clearInterval(timer)
    }
    // `read` is another function on each render; `key` says what it depends on.
  }, [connection, key, reads, isEnabled, refreshMs, version])

  const reload = useCallback(() => setReads((count) => count + 1), [])
  useEffect(() => {
    if (!error) return undefined
    addEventListener('online', reload)
    return () => removeEventListener('online', reload)
  }, [error, reload])

  return {
    data: state?.key === key ? state.data : undefined,
    error,
    reload,
    put: (data) => setState({ key, data }),
  }
}
