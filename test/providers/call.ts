// What the tests of every dialect pass to a provider: a request, and a call that records what is reported to it.
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { DEFAULT_SETTINGS, type WirePhase } from '../../src/domain.ts'
import { ProviderError, type Failure } from '../../src/providers/error.ts'
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
export function requestOf(wishes: Partial<ProviderRequest> = {}): ProviderRequest {
  const model = wishes.model ?? 'gpt-image-2'
  return {
    ...DEFAULT_SETTINGS,
    operation: wishes.images ? 'EDIT' : 'GENERATE',
    prompt: 'a red fox in the snow',
    model,
    upstreamModel: model,
    images: [],
    mask: null,
    ...wishes,
  }
}

/** An input image with these bytes. */
export function inputOf(
  bytes: Buffer,
  mimeType: ProviderRequestImage['mimeType'] = 'image/png',
): ProviderRequestImage {
  const facts = { mimeType, width: 8, height: 8, byteSize: bytes.length, hasAlpha: false }
  return { ...facts, blob: async () => new Blob([new Uint8Array(bytes)], { type: mimeType }) }
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
    onWire(phase, seen) {
      reports.phases.push(phase)
      if (seen?.providerRequestId) reports.requestIds.push(seen.providerRequestId)
    },
    onProgress: (fraction) => void reports.progress.push(fraction),
    onPartial: async (file, index) => void reports.partials.push({ bytes: await readFile(file), index }),
    ...overrides,
  }
  return { call, reports }
}

/** Submits, and asks again without waiting for as long as the answer is not final. */
export async function submitAndCheck(
  provider: Provider,
  request: ProviderRequest,
  call: Call,
): Promise<CallResult> {
  let answer = await provider.submit(request, call)
  if (answer.state !== 'ACCEPTED') return answer
  const { remoteId } = answer
  for (let times = 0; times < 20; times++) {
    if (!provider.check) throw new Error('The provider accepts requests and has no check')
    answer = await provider.check(remoteId, request, call)
    if (answer.state !== 'PENDING') return answer
  }
  throw new Error('The provider is not done after 20 checks')
}

/** A finished request with its images and the reports of its call. */
export type Developed = Awaited<ReturnType<typeof develop>>

/** Asks, expects the pictures to be done, and reads them. */
export async function develop(provider: Provider, wishes: Partial<ProviderRequest> = {}) {
  const { call, reports } = await openCall()
  const answer = await submitAndCheck(provider, requestOf(wishes), call)
  if (answer.state !== 'DONE') throw new Error(`The provider answered ${answer.state}`)
  const pictures = await Promise.all(answer.images.map((image) => readPicture(provider, image, call)))
  return { ...answer, pictures, reports }
}

/** The bytes of an image, downloaded if it arrived as an address. */
export async function readPicture(provider: Provider, image: ReceivedImage, call: Call): Promise<Buffer> {
  if ('file' in image) return readFile(image.file)
  const file = call.newFile()
  if (!provider.results) throw new Error('The provider returned an address and has no download')
  await provider.results.download(image.url, file, call.signal)
  return readFile(file)
}

/** The failure of a promise that must end in a ProviderError; any other error is thrown on. */
export async function failureOf(promise: Promise<unknown>): Promise<Failure> {
  const ended = await promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  )
  if (!('error' in ended)) throw new Error(`No failure but ${JSON.stringify(ended.value)}`)
  if (ended.error instanceof ProviderError) return ended.error.failure
  throw ended.error
}
