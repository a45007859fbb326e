import { useEffect, useState } from 'react'
import { ListProviders } from '../api/generated.ts'
import { useSession } from '../session/context.ts'

const NONE = { models: [], providers: [] }

/** Of models and providers, for filters. Empty until they were read. */
export function useNames(): { models: readonly string[]; providers: readonly string[] } {
  const { connection } = useSession()
  const [names, setNames] = useState<{ models: readonly string[]; providers: readonly string[] }>(NONE)
  useEffect(() => {
    const abort = new AbortController()
    const read = async () => {
      const found = await connection.read(ListProviders, {}, abort.signal)
      setNames({
        models: [...new Set(found.flatMap((one) => one.models.map(({ name }) => name)))].toSorted(),
        providers: found.map(({ name }) => name),
      })
    }
    // Without them the other filters still work.
    void read().catch(() => {})
    return () => abort.abort()
  }, [connection])
  return names
}
