import { useCallback, useEffect, useState } from 'react'
import { ReadHistory } from '../api/generated.ts'
import { useSession } from '../session/context.ts'
import { unreadOf, type Steps } from './layout.ts'

/** Read at once, in both directions. */
const DEPTH = 3
/** Of one page: a picture may have hundreds of edits. */
const MAX_AT_ONCE = 24

/** `renewal`: read again when it changes. */
export function useHistory(id: string, renewal: unknown) {
  const { connection } = useSession()
  const [steps, setSteps] = useState<Steps>(new Map())
  const [error, setError] = useState<Error>()

  useEffect(() => {
    const abort = new AbortController()
    const read = async () => {
      let known: Steps = new Map()
      let next = [id]
      for (let depth = 0; depth < DEPTH && next.length > 0; depth++) {
        const found = await Promise.all(
          next.map((one) => connection.read(ReadHistory, { id: one }, abort.signal)),
        )
        known = new Map([...known, ...found.map((step) => [step.id, step] as const)])
        if (abort.signal.aborted) return
        setSteps(known)
        next = unreadOf(known).slice(0, MAX_AT_ONCE)
      }
      setError(undefined)
    }
    read().catch((problem: unknown) => {
      if (!abort.signal.aborted) setError(problem as Error)
    })
    return () => abort.abort()
  }, [connection, id, renewal])

  const readMore = useCallback(
    async (of: string) => {
      try {
        const step = await connection.read(ReadHistory, { id: of })
        setSteps((last) => new Map([...last, [step.id, step]]))
        setError(undefined)
      } catch (problem) {
        setError(problem as Error)
      }
    },
    [connection],
  )
  return { steps, error, readMore }
}
