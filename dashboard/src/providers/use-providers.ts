import { useCallback, useEffect, useState } from 'react'
import {
  ReadProviderModels,
  ReadProviderStats,
  WatchProviders,
  type ProviderState,
} from '../api/generated.ts'
import type { Connection } from '../api/connection.ts'
import { useSession } from '../session/context.ts'

const readStats = (connection: Connection, signal: AbortSignal) =>
  connection.read(ReadProviderStats, {}, signal)
const readModels = (connection: Connection, signal: AbortSignal) =>
  connection.read(ReadProviderModels, {}, signal)

export type ProviderStats = Awaited<ReturnType<typeof readStats>>[number]['stats']
export type ProviderOffer = Awaited<ReturnType<typeof readModels>>[number]

export interface ProvidersView {
  /** As the server sends them. Undefined until the first time. */
  providers: readonly ProviderState[] | undefined
  /** Of the last hour, by name. */
  stats: ReadonlyMap<string, ProviderStats>
  error: Error | undefined
  reload: () => void
  /** After a change of this page; the server sends the same. */
  put: (provider: ProviderState) => void
}

const STATS_MS = 15_000

export function useProviders(isEnabled: boolean): ProvidersView {
  const { connection } = useSession()
  const [providers, setProviders] = useState<readonly ProviderState[]>()
  const [stats, setStats] = useState<ReadonlyMap<string, ProviderStats>>(new Map())
  const [error, setError] = useState<Error>()
  const [reads, setReads] = useState(0)

  useEffect(() => {
    if (!isEnabled) return undefined
    const abort = new AbortController()
    const { signal } = abort
    async function watch(): Promise<void> {
      for await (const found of connection.latest(WatchProviders, {}, signal)) {
        setProviders(found)
        setError(undefined)
      }
    }
    async function count(): Promise<void> {
      if (document.hidden) return
      const found = await readStats(connection, signal)
      setStats(new Map(found.map((one) => [one.name, one.stats])))
    }
    watch().catch((problem: unknown) => {
      if (!signal.aborted) setError(problem as Error)
    })
    const run = () => void count().catch(() => {})
    run()
    const timer = setInterval(run, STATS_MS)
    return () => {
      abort.abort()
      clearInterval(timer)
    }
  }, [connection, isEnabled, reads])

  return {
    providers,
    stats,
    error,
    reload: useCallback(() => {
      setError(undefined)
      setReads((count) => count + 1)
    }, []),
    put: (provider) =>
      setProviders((last) => last?.map((one) => (one.name === provider.name ? provider : one))),
  }
}

/** Models, prices and traits, which change with the configuration only. */
export function useOffer(name: string): {
  offer: ProviderOffer | undefined
  error: Error | undefined
  reload: () => void
} {
  const { connection } = useSession()
  const [offers, setOffers] = useState<readonly ProviderOffer[]>()
  const [error, setError] = useState<Error>()
  const [reads, setReads] = useState(0)
  useEffect(() => {
    const abort = new AbortController()
    readModels(connection, abort.signal)
      .then(setOffers)
      .catch((problem: unknown) => {
        if (!abort.signal.aborted) setError(problem as Error)
      })
    return () => abort.abort()
  }, [connection, reads])
  return {
    offer: offers?.find((one) => one.name === name),
    error,
    reload: () => {
      setError(undefined)
      setReads((count) => count + 1)
    },
  }
}
