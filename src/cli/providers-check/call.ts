import { randomUUID } from 'node:crypto'
import { openAsBlob } from 'node:fs'
import { join } from 'node:path'
import { inspectResult } from '../../assets/inspect.ts'
import { systemClock } from '../../clock.ts'
import type { WirePhase } from '../../domain.ts'
import { ProviderError, type FailureKind } from '../../providers/error.ts'
import type {
  Call,
  CallResult,
  Provider,
  ProviderRequest,
  ProviderRequestImage,
  ReceivedImage,
} from '../../providers/provider.ts'
import { withTimeout } from '../with-timeout.ts'

export interface CallOutcome {
  result: CallResult | undefined
  /** Undefined on success. */
  error: unknown
  images: readonly ProviderRequestImage[]
  /** Null if the result came directly. */
  remoteId: string | null
  providerRequestId: string | null
  phase: WirePhase
  ms: number
}

export interface CallSetup {
  provider: Provider
  request: ProviderRequest
  /** For received files. */
  spool: string
  /** Null if providers cannot call back. */
  publicUrl: string | null
}

const MAX_POLLING_MS = 900_000
const TEMPORARY_FAILURES: ReadonlySet<FailureKind> = new Set(['busy', 'unreached', 'lost'])

/** Sends, then polls, as the engine does. Never rejects. */
export async function callProvider(setup: CallSetup): Promise<CallOutcome> {
  const { provider, request } = setup
  const startedAt = systemClock.now()
  const outcome: CallOutcome = {
    result: undefined,
    error: undefined,
    images: [],
    remoteId: null,
    providerRequestId: null,
    phase: 'NONE',
    ms: 0,
  }
  try {
    outcome.result = await withTimeout(provider.timeoutMs, (signal) =>
      provider.submit(request, createCall(setup, outcome, signal)),
    )
    if (outcome.result.state === 'ACCEPTED') outcome.remoteId = outcome.result.remoteId
    while (outcome.result.state !== 'DONE') {
      if (systemClock.now() - startedAt > MAX_POLLING_MS)
        throw new Error('The result did not arrive within 15 minutes.')
      await systemClock.sleep(outcome.result.checkAfterMs)
      outcome.result = (await checkResult(setup, outcome)) ?? outcome.result
    }
    const { images } = outcome.result
    outcome.images = await withTimeout(provider.timeoutMs, (signal) =>
      Promise.all(images.map(async (image) => readImage(await fetchFile(setup, image, signal)))),
    )
  } catch (error) {
    outcome.error = error
  }
  outcome.ms = systemClock.now() - startedAt
  return outcome
}

/** Undefined after a temporary failure. */
async function checkResult(setup: CallSetup, outcome: CallOutcome): Promise<CallResult | undefined> {
  const { provider, request } = setup
  try {
    return await withTimeout(provider.timeoutMs, (signal) =>
      provider.check?.(outcome.remoteId ?? '', request, createCall(setup, outcome, signal)),
    )
  } catch (error) {
    if (error instanceof ProviderError && TEMPORARY_FAILURES.has(error.failure.kind)) return undefined
    throw error
  }
}

function createCall({ spool, publicUrl }: CallSetup, outcome: CallOutcome, signal: AbortSignal): Call {
  return {
    signal,
    clientRef: `check_${randomUUID()}`,
    // Callbacks get 404: the result is polled.
    callbackUrl: publicUrl === null ? undefined : `${publicUrl}/callbacks/check-${randomUUID()}`,
    newFile: () => join(spool, randomUUID()),
    onWire(phase, facts) {
      outcome.phase = phase
      outcome.providerRequestId = facts?.providerRequestId ?? outcome.providerRequestId
    },
    onProgress: () => {},
    onPartial: () => Promise.resolve(),
  }
}

async function fetchFile(
  { provider, spool }: CallSetup,
  image: ReceivedImage,
  signal: AbortSignal,
): Promise<string> {
  if ('file' in image) return image.file
  const file = join(spool, randomUUID())
  await provider.results?.download(image.url, file, signal)
  return file
}

async function readImage(file: string): Promise<ProviderRequestImage> {
  const facts = await inspectResult(file)
  return { ...facts, blob: () => openAsBlob(file, { type: facts.mimeType }) }
}
