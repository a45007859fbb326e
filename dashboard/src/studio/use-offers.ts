import { useCallback, useEffect, useState } from 'react'
import { ListOffers, type ProviderHealth } from '../api/generated.ts'
import { useSession } from '../session/context.ts'
import type { Offer } from './rules.ts'

export interface Offers {
  offers: readonly Offer[]
  health: ReadonlyMap<string, ProviderHealth>
}

/** Every model at every configured provider. */
export function useOffers(): { found: Offers | undefined; error: Error | undefined; reload: () => void } {
  const { connection } = useSession()
  const [found, setFound] = useState<Offers>()
  const [error, setError] = useState<Error>()
  const [reads, setReads] = useState(0)
  useEffect(() => {
    const abort = new AbortController()
    const read = async () => {
      const providers = await connection.read(ListOffers, {}, abort.signal)
      const configured = providers.filter((one) => one.configured)
      setFound({
        offers: configured.flatMap(({ name: provider, models }) =>
          models.map(({ name: model, retiresOn, successor, capabilities: can }) => ({
            provider,
            model,
            retiresOn,
            successor,
            can,
          })),
        ),
        health: new Map(configured.map(({ name, health }) => [name, health])),
      })
      setError(undefined)
    }
    read().catch((problem: unknown) => {
      if (!abort.signal.aborted) setError(problem as Error)
    })
    return () => abort.abort()
  }, [connection, reads])
  const reload = useCallback(() => setReads((count) => count + 1), [])
  return { found, error, reload }
}
