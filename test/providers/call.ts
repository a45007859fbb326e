// The arguments of a provider in the tests of every dialect: a request, and a call that records its reports.
import { readFileSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { DEFAULT_SETTINGS, type WirePhase } from '../../src/domain.ts'
import { ProviderError, type Failure } from '../../src/providers/error.ts'
import { DownloadError, type DownloadFailure } from '../../src/providers/wire/download.ts'
import type {
  CallResult,
  Call,
  ProviderRequest,
  ProviderRequestImage,
  Provider,
  ReceivedImage,
} from '../../src/providers/provider.ts'

export interface Reports {
  phases: WirePhase[]
  /** Every request id of the upstream, in the order of the reports. */
  requestIds: string[]
  progress: number[]
  partials: { bytes: Buffer; index: number }[]
}

/** A request with default settings; with images it is an edit. */
export function requestOf(overrides: Partial<ProviderRequest> = {}): ProviderRequest {
  const model = overrides.model ?? 'gpt-image-2'
  return {
    ...DEFAULT_SETTINGS,
    operation: overrides.images ? 'EDIT' : 'GENERATE',
    prompt: 'a red fox in the snow',
    model,
    upstreamModel: model,
    images: [],
    mask: null,
    markup: null,
    ...overrides,
  }
}

/** An input image with these bytes. */
export function inputOf(
  bytes: Buffer,
  mimeType: ProviderRequestImage['mimeType'] = 'image/png',
): ProviderRequestImage {
  const properties = { mimeType, width: 8, height: 8, byteSize: bytes.length, hasAlpha: false }
  return { ...properties, blob: async () => new Blob([new Uint8Array(bytes)], { type: mimeType }) }
}

/** A call with a spool of its own, removed when the test ends. */
export async function openCall(
  overrides: Partial<Pick<Call, 'signal' | 'clientRef' | 'callbackUrl'>> = {},
): Promise<{ call: Call; reports: Reports }> {
  const folder = await mkdtemp(join(tmpdir(), 'darkroom-call-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const reports: Reports = { phases: [], requestIds: [], progress: [], partials: [] }
  let files = 0
  const call: Call = {
    signal: new AbortController().signal,
    clientRef: 'att_1',
    newFile: () => join(folder, String(files++)),
    onWire(phase, details) {
      reports.phases.push(phase)
      if (details?.providerRequestId) reports.requestIds.push(details.providerRequestId)
    },
    onProgress: (fraction) => void reports.progress.push(fraction),
    onPartial: async (file, index) => void reports.partials.push({ bytes: readFileSync(file), index }),
    ...overrides,
  }
  return { call, reports }
}

/** Submits, then checks without delay until the result is final. */
export async function submitAndCheck(
  provider: Provider,
  request: ProviderRequest,
  call: Call,
): Promise<CallResult> {
  let result = await provider.submit(request, call)
  if (result.state !== 'ACCEPTED') return result
  const { remoteId } = result
  for (let times = 0; times < 20; times++) {
    if (!provider.check) throw new Error('The provider accepts requests and has no check')
    result = await provider.check(remoteId, request, call)
    if (result.state !== 'PENDING') return result
  }
  throw new Error('The provider is not done after 20 checks')
}

/** A finished request with its images and the reports of its call. */
export type FinishedRequest = Awaited<ReturnType<typeof runRequest>>

/** Runs a request that must end as DONE, and reads its images. */
export async function runRequest(provider: Provider, overrides: Partial<ProviderRequest> = {}) {
  const { call, reports } = await openCall()
  const result = await submitAndCheck(provider, requestOf(overrides), call)
  if (result.state !== 'DONE') throw new Error(`The provider returned ${result.state}`)
  const imageBytes = await Promise.all(result.images.map((image) => readImage(provider, image, call)))
  return { ...result, imageBytes, reports }
}

/** How a provider refuses or fails to download an address. */
export async function downloadFailure(
  provider: Provider,
  url: string,
  call: Pick<Call, 'newFile' | 'signal'>,
): Promise<DownloadFailure> {
  try {
    await provider.results?.download(url, call.newFile(), call.signal)
  } catch (error) {
    if (error instanceof DownloadError) return error.failure
    throw error
  }
  throw new Error('The download did not fail')
}

/** The bytes of an image, downloaded if it arrived as an address. */
export async function readImage(provider: Provider, image: ReceivedImage, call: Call): Promise<Buffer> {
  if ('file' in image) return readFile(image.file)
  const file = call.newFile()
  if (!provider.results) throw new Error('The provider returned an address and has no download')
  await provider.results.download(image.url, file, call.signal)
  return readFile(file)
}

/** The failure of a promise that must reject with a ProviderError. Throws any other error. */
export async function failureOf(promise: Promise<unknown>): Promise<Failure> {
  const outcome = await promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  )
  if (!('error' in outcome)) throw new Error(`Expected a failure, not ${JSON.stringify(outcome.value)}`)
  if (outcome.error instanceof ProviderError) return outcome.error.failure
  throw outcome.error
}
