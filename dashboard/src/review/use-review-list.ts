import { useCallback, useEffect, useRef, useState } from 'react'
import { ListReview, type ReviewAttempt, type ReviewReason } from '../api/generated.ts'
import { useReviewSummary } from '../live/hooks.ts'
import { useSession } from '../session/context.ts'

export interface ReviewList {
  /** Oldest first. Undefined until the first page was read. */
  attempts: readonly ReviewAttempt[] | undefined
  hasMore: boolean
  error: Error | undefined
  reload: () => void
  readMore: () => void
}

const PAGE_SIZE = 50

/** The list, read again whenever the counts in the navigation are. */
export function useReviewList(reason: ReviewReason): ReviewList {
  const { connection, review } = useSession()
  const summary = useReviewSummary(review)
  const [pages, setPages] = useState(1)
  const [reads, setReads] = useState(0)
  const [state, setState] = useState<{ reason: ReviewReason; attempts: ReviewAttempt[]; hasMore: boolean }>()
  const [error, setError] = useState<Error>()
  const lastReason = useRef(reason)
  if (lastReason.current !== reason) {
    lastReason.current = reason
    setPages(1)
    setError(undefined)
  }

  useEffect(() => {
    const abort = new AbortController()
    async function read(): Promise<void> {
      const attempts: ReviewAttempt[] = []
      let after: string | null = null
      let hasMore = true
      for (let page = 0; page < pages && hasMore; page++) {
        const variables = { reason, first: PAGE_SIZE, ...(after !== null && { after }) }
        const found: {
          nodes: ReviewAttempt[]
          pageInfo: { endCursor: string | null; hasNextPage: boolean }
        } = await connection.read(ListReview, variables, abort.signal)
        attempts.push(...found.nodes)
        after = found.pageInfo.endCursor
        hasMore = found.pageInfo.hasNextPage
      }
      setState({ reason, attempts, hasMore })
      setError(undefined)
    }
    read().catch((problem: unknown) => {
      if (!abort.signal.aborted) setError(problem as Error)
    })
    return () => abort.abort()
  }, [connection, reason, pages, reads, summary])

  const isCurrent = state?.reason === reason
  return {
    attempts: isCurrent ? state.attempts : undefined,
    hasMore: isCurrent && state.hasMore,
    error,
    reload: useCallback(() => {
      setError(undefined)
      setReads((count) => count + 1)
      review.refresh()
    }, [review]),
    readMore: () => setPages((count) => count + 1),
  }
}
