// Provider calls outside of a step: reports during the call are not recorded.
import { rm } from 'node:fs/promises'
import type { AttemptRow } from '../../db/tables/tables.ts'
import type { Call, Provider } from '../../providers/provider.ts'
import type { Deps } from '../deps.ts'
import { findProvider } from '../routing/configured.ts'

const TIMEOUT_MS = 30_000

/** Never throws, and proves nothing. */
export async function cancelRemote(
  deps: Pick<Deps, 'log' | 'providers' | 'store'>,
  attempt: AttemptRow,
): Promise<void> {
  const { id, provider: name, remoteId } = attempt
  const provider = findProvider(deps.providers, name)
  if (!remoteId || !provider?.cancel) return
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MS)
    await sideCall(deps, attempt, signal, (call) => provider.cancel!(remoteId, call))
  } catch (error) {
    deps.log.warn({ attempt: id, err: error }, 'cancel request to the provider failed')
  }
}

export async function findRemote(
  deps: Pick<Deps, 'store'>,
  provider: Provider,
  attempt: AttemptRow,
  stop: AbortSignal,
): Promise<{ remoteId: string } | undefined> {
  const signal = AbortSignal.any([stop, AbortSignal.timeout(TIMEOUT_MS)])
  return sideCall(deps, attempt, signal, async (call) => provider.find?.(attempt.id, call))
}

async function sideCall<T>(
  { store }: Pick<Deps, 'store'>,
  { id }: AttemptRow,
  signal: AbortSignal,
  run: (call: Call) => Promise<T>,
): Promise<T> {
  const files: string[] = []
  const newFile = () => {
    const file = store.newFile()
    files.push(file)
    return file
  }
  try {
    const ignored = { onWire() {}, onProgress() {}, onPartial: () => Promise.resolve() }
    return await run({ signal, clientRef: id, newFile, ...ignored })
  } finally {
    await Promise.all(files.map((file) => rm(file, { force: true })))
  }
}
