import type { AttemptRow } from '../../db/tables/tables.ts'
import type { Deps } from '../deps.ts'
import { findProvider } from '../routing/configured.ts'

const CANCEL_MS = 30_000

/** Asks the provider to stop work on an accepted attempt, where it supports that. Never throws; it proves nothing. */
export async function cancelRemote(
  deps: Pick<Deps, 'providers' | 'store' | 'log'>,
  { id, provider: name, remoteId }: AttemptRow,
): Promise<void> {
  const provider = findProvider(deps.providers, name)
  if (!remoteId || !provider?.cancel) return
  try {
    await provider.cancel(remoteId, {
      signal: AbortSignal.timeout(CANCEL_MS),
      clientRef: id,
      newFile: () => deps.store.newFile(),
      onWire() {},
      onProgress() {},
      onPartial: () => Promise.resolve(),
    })
  } catch (error) {
    deps.log.warn({ attempt: id, err: error }, 'the provider could not be told to cancel')
  }
}
