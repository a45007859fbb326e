// The sandbox is its own upstream: unlike other providers, it waits.
import { setTimeout as pause } from 'node:timers/promises'
import { ProviderError, VERDICTS } from '../error.ts'
import type { Call } from '../provider.ts'
import { untilAborted } from '../wire/until-aborted.ts'

export async function wait(durationMs: number, call: Call): Promise<void> {
  const { signal } = call
  await whileOpen(durationMs > 0 ? pause(durationMs, undefined, { signal }) : Promise.resolve(), call)
}

/** Throws ProviderError OUTCOME_UNKNOWN if aborted first. */
export async function whileOpen<T>(work: Promise<T>, { signal }: Call): Promise<T> {
  try {
    return await untilAborted(work, signal)
  } catch (cause) {
    if (!signal.aborted) throw cause
    const message =
      'The call to the sandbox was stopped before it answered. Whether an image was made is unknown.'
    throw new ProviderError({ ...VERDICTS.LOST, message, cause })
  }
}
