import { randomUUID } from 'node:crypto'
import { openAsBlob } from 'node:fs'
import { join } from 'node:path'
import { inspectImage } from '../../assets/inspect.ts'
import { systemClock } from '../../clock.ts'
import type { WirePhase } from '../../domain.ts'
import { ProviderError, type FailureKind } from '../../providers/error.ts'
import type {
  CallResult,
  Call,
  ProviderRequest,
  ProviderRequestImage,
  Provider,
} from '../../providers/provider.ts'

/** What became of one order. */
export interface Ending {
  answer: CallResult | undefined
  /** What was thrown; undefined when it went well. */
  error: unknown
  /** The finished pictures, inspected. */
  images: readonly ProviderRequestImage[]
  /** Null where the upstream answered at once. */
  remoteId: string | null
  providerRequestId: string | null
  phase: WirePhase
  ms: number
}

export interface Place {
  /** A directory for what arrives. */
  spool: string
  /** Where upstreams reach this installation; null when they cannot. */
  publicUrl: string | null
}

// As long as the slowest picture may take, and a little.
const PATIENCE_MS = 900_000

/** Places one order as the engine would, asks about it until it has ended, and never throws. */
export async function tryOrder(provider: Provider, order: ProviderRequest, place: Place): Promise<Ending> {
  const begunAt = systemClock.now()
  const ending: Ending = {
    answer: undefined,
    error: undefined,
    images: [],
    remoteId: null,
    providerRequestId: null,
    phase: 'NONE',
    ms: 0,
  }
  try {
    ending.answer = await within(provider.timeoutMs, (signal) =>
      provider.submit(order, openCall(place, ending, signal)),
    )
    if (ending.answer.state === 'ACCEPTED') ending.remoteId = ending.answer.remoteId
    await follow(provider, order, place, ending, begunAt)
    if (ending.answer.state === 'DONE') {
      ending.images = await Promise.all(ending.answer.images.map(({ file }) => read(file)))
    }
  } catch (error) {
    ending.error = error
  }
  ending.ms = systemClock.now() - begunAt
  return ending
}

/** Asks until the order has ended. A question that went wrong says nothing about the order, so it is put again. */
async function follow(
  provider: Provider,
  order: ProviderRequest,
  place: Place,
  ending: Ending,
  begunAt: number,
) {
  for (let { answer } = ending; answer && answer.state !== 'DONE'; answer = ending.answer) {
    if (systemClock.now() - begunAt > PATIENCE_MS) throw new Error('It was not done after 15 minutes.')
    await systemClock.sleep(answer.checkAfterMs)
    ending.answer = (await ask(provider, order, place, ending)) ?? answer
  }
}

async function ask(
  provider: Provider,
  order: ProviderRequest,
  place: Place,
  ending: Ending,
): Promise<CallResult | undefined> {
  try {
    return await within(provider.timeoutMs, (signal) =>
      provider.check?.(ending.remoteId ?? '', order, openCall(place, ending, signal)),
    )
  } catch (error) {
    const isPassing = error instanceof ProviderError && PASSING.has(error.failure.kind)
    if (isPassing) return undefined
    throw error
  }
}

const PASSING: ReadonlySet<FailureKind> = new Set(['busy', 'unreached', 'lost'])

function openCall({ spool, publicUrl }: Place, ending: Ending, signal: AbortSignal): Call {
  return {
    signal,
    clientRef: `check_${randomUUID()}`,
    // Nobody waits there: a callback is answered with 404, and the order is asked about all the same.
    callbackUrl: publicUrl === null ? undefined : `${publicUrl}/callbacks/check-${randomUUID()}`,
    newFile: () => join(spool, randomUUID()),
    onWire(phase, seen) {
      ending.phase = phase
      ending.providerRequestId = seen?.providerRequestId ?? ending.providerRequestId
    },
    onProgress: () => {},
    onPartial: () => Promise.resolve(),
  }
}

async function within<T>(ms: number, work: (signal: AbortSignal) => T): Promise<Awaited<T>> {
  const [deadline, over] = [new AbortController(), new AbortController()]
  void systemClock.sleep(ms, over.signal).then(() => deadline.abort())
  try {
    return await work(deadline.signal)
  } finally {
    over.abort()
  }
}

async function read(file: string): Promise<ProviderRequestImage> {
  const facts = await inspectImage(file, { maxBytes: Number.MAX_SAFE_INTEGER })
  return { ...facts, blob: () => openAsBlob(file, { type: facts.mimeType }) }
}
