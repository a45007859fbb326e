import { useState } from 'react'
import type { Connection } from '../api/connection.ts'
import { useRead, type ReadOptions } from './use-read.ts'

interface Page<T> {
  nodes: readonly T[]
  pageInfo: { endCursor: string | null; hasNextPage: boolean }
}

export interface List<T> {
  /** Of all pages so far. Undefined until the first one was read. */
  items: readonly T[] | undefined
  hasMore: boolean
  error: Error | undefined
  reload: () => void
  readMore: () => void
}

/** A list by pages. `key` as of `useRead`; every read starts at the first page. */
export function useList<T>(
  readPage: (connection: Connection, after: string | undefined, signal: AbortSignal) => Promise<Page<T>>,
  key: string,
  options: ReadOptions = {},
): List<T> {
  const [size, setSize] = useState({ key, pages: 1 })
  const pages = size.key === key ? size.pages : 1
  const { data, error, reload } = useRead(
    async (connection, signal) => {
      const items: T[] = []
      let after: string | undefined
      let hasMore = true
      for (let page = 0; page < pages && hasMore; page++) {
        const { nodes, pageInfo } = await readPage(connection, after, signal)
        items.push(...nodes)
        after = pageInfo.endCursor ?? undefined
        hasMore = pageInfo.hasNextPage
      }
      return { items, hasMore }
    },
    `${key} ${pages}`,
    options,
  )
  const [shown, setShown] = useState({ key, data })
  if (data && shown.data !== data) setShown({ key, data })
  // The rows stay while another page is read.
  const latest = data ?? (shown.key === key ? shown.data : undefined)
  return {
    items: latest?.items,
    hasMore: latest?.hasMore ?? false,
    error,
    reload,
    readMore: () => setSize({ key, pages: pages + 1 }),
  }
}
