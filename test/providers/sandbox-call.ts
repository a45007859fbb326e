// What the sandbox's tests hand it: an order with everything left to the provider, and a call that writes down what it hears.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { DEFAULT_SETTINGS, type WirePhase } from '../../src/domain.ts'
import {
  filesOf,
  type CallResult,
  type Call,
  type ProviderRequest,
  type ProviderRequestImage,
} from '../../src/providers/provider.ts'
import { sandbox } from '../../src/providers/sandbox/sandbox.ts'

export interface Heard {
  wire: { phase: WirePhase; httpStatus?: number; providerRequestId?: string }[]
  progress: number[]
  partials: { file: string; index: number }[]
}

/** A sandbox that answers at once, unless told otherwise. */
export function openSandbox(options: Record<string, unknown> = {}) {
  return sandbox.create('sandbox', sandbox.options.parse({ durationMs: 0, ...options }))
}

export function orderOf(wishes: Partial<ProviderRequest> = {}): ProviderRequest {
  const model = wishes.model ?? 'gpt-image-2'
  return {
    ...DEFAULT_SETTINGS,
    operation: wishes.images ? 'EDIT' : 'GENERATE',
    prompt: 'a red fox in the snow',
    model,
    upstreamModel: model,
    size: '1024x1024',
    images: [],
    mask: null,
    ...wishes,
  }
}

/** A call with a spool of its own, removed when the test ends. */
export async function openCall(signal = new AbortController().signal): Promise<{ call: Call; heard: Heard }> {
  const folder = await mkdtemp(join(tmpdir(), 'darkroom-sandbox-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const heard: Heard = { wire: [], progress: [], partials: [] }
  let files = 0
  const call: Call = {
    signal,
    clientRef: 'attempt-1',
    newFile: () => join(folder, String(files++)),
    onWire: (phase, seen) => void heard.wire.push({ phase, ...seen }),
    onProgress: (fraction) => void heard.progress.push(fraction),
    onPartial: async (file, index) => void heard.partials.push({ file, index }),
  }
  return { call, heard }
}

/** Submits to a fresh sandbox and expects the picture to be done. */
export async function develop(wishes: Partial<ProviderRequest> = {}, options: Record<string, unknown> = {}) {
  const { call, heard } = await openCall()
  const answer = await openSandbox(options).submit(orderOf(wishes), call)
  if (answer.state !== 'DONE') throw new Error(`The sandbox answered ${answer.state}`)
  return { ...answer, heard, file: firstFile(answer) }
}

function firstFile(answer: Extract<CallResult, { state: 'DONE' }>): string {
  const [first] = filesOf(answer.images)
  if (!first) throw new Error('The sandbox answered without an image')
  return first
}

/** An input image with these bytes. */
export function inputOf(
  bytes: Buffer,
  facts: Omit<ProviderRequestImage, 'blob' | 'byteSize'>,
): ProviderRequestImage {
  return { ...facts, byteSize: bytes.length, blob: async () => new Blob([new Uint8Array(bytes)]) }
}
