// The arguments of the sandbox in its tests: a request with default settings, and a call that records its reports.
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

export interface Reports {
  wire: { phase: WirePhase; httpStatus?: number; providerRequestId?: string }[]
  progress: number[]
  partials: { file: string; index: number }[]
}

/** A sandbox without delay by default. */
export function openSandbox(options: Record<string, unknown> = {}) {
  return sandbox.create('sandbox', sandbox.options.parse({ durationMs: 0, ...options }))
}

export function requestOf(overrides: Partial<ProviderRequest> = {}): ProviderRequest {
  const model = overrides.model ?? 'gpt-image-2'
  return {
    ...DEFAULT_SETTINGS,
    operation: overrides.images ? 'EDIT' : 'GENERATE',
    prompt: 'a red fox in the snow',
    model,
    upstreamModel: model,
    size: '1024x1024',
    images: [],
    mask: null,
    markup: null,
    ...overrides,
  }
}

/** A call with a spool of its own, removed when the test ends. */
export async function openCall(
  signal = new AbortController().signal,
): Promise<{ call: Call; reports: Reports }> {
  const folder = await mkdtemp(join(tmpdir(), 'darkroom-sandbox-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const reports: Reports = { wire: [], progress: [], partials: [] }
  let files = 0
  const call: Call = {
    signal,
    clientRef: 'attempt-1',
    newFile: () => join(folder, String(files++)),
    onWire: (phase, details) => void reports.wire.push({ phase, ...details }),
    onProgress: (fraction) => void reports.progress.push(fraction),
    onPartial: async (file, index) => void reports.partials.push({ file, index }),
  }
  return { call, reports }
}

/** Runs a request at a new sandbox. It must end as DONE. */
export async function runRequest(
  overrides: Partial<ProviderRequest> = {},
  options: Record<string, unknown> = {},
) {
  const { call, reports } = await openCall()
  const result = await openSandbox(options).submit(requestOf(overrides), call)
  if (result.state !== 'DONE') throw new Error(`The sandbox returned ${result.state}`)
  return { ...result, reports, file: firstFile(result) }
}

function firstFile(result: Extract<CallResult, { state: 'DONE' }>): string {
  const [first] = filesOf(result.images)
  if (!first) throw new Error('The sandbox returned no image')
  return first
}

/** An input image with these bytes. */
export function inputOf(
  bytes: Buffer,
  properties: Omit<ProviderRequestImage, 'blob' | 'byteSize'>,
): ProviderRequestImage {
  return { ...properties, byteSize: bytes.length, blob: async () => new Blob([new Uint8Array(bytes)]) }
}
