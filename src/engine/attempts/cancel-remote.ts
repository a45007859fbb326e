import type { AttemptRow } from '../../db/tables/tables.ts'
import type { Deps } from '../deps.ts'

const TELL_MS = 30_000

/** Asks the provider to stop working on what it accepted, where it can be asked. Never throws: it is a wish, not a proof. */
export async function tellToCancel(deps: Deps, { id, provider: name, remoteId }: AttemptRow): Promise<void> {
  const provider = deps.providers.find((one) => one.name === name)
  if (!remoteId || !provider?.cancel) return
  try {
    await provider.cancel(remoteId, {
      signal: AbortSignal.timeout(TELL_MS),
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
