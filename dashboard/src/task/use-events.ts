import { useEffect, useState } from 'react'
import { ReadEvents, type EventRow } from '../api/generated.ts'
import { useSession } from '../session/context.ts'

/** The events of a task, oldest first: the latest 100, and earlier ones on demand. */
export function useEvents(id: string, revision: number) {
  const { connection } = useSession()
  const [rows, setRows] = useState<readonly EventRow[]>()
  const [total, setTotal] = useState(0)
  const [error, setError] = useState<Error>()
  const [reads, setReads] = useState(0)
  useEffect(() => {
    const abort = new AbortController()
    connection.read(ReadEvents, { id }, abort.signal).then(
      ({ events }) => {
        setRows((last) => merge(last ?? [], events.nodes))
        setTotal(events.totalCount)
        setError(undefined)
      },
      (problem: unknown) => {
        if (!abort.signal.aborted) setError(problem as Error)
      },
    )
    return () => abort.abort()
  }, [connection, id, revision, reads])

  async function readEarlier(): Promise<void> {
    try {
      const before = rows?.[0]?.cursor ?? null
      const { events } = await connection.read(ReadEvents, { id, before })
      setRows((last) => merge(events.nodes, last ?? []))
    } catch (problem) {
      setError(problem as Error)
    }
  }

  return { rows, total, error, readEarlier, reload: () => setReads(reads + 1) }
}

/** Each event once. */
function merge(earlier: readonly EventRow[], later: readonly EventRow[]): readonly EventRow[] {
  return [...new Map([...earlier, ...later].map((row) => [row.cursor, row])).values()]
}
