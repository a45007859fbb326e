// What the openai dialect's tests hand it: a provider at the fake, an order, and a call that writes down what it hears.
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { ProviderError, type Failure } from '../../src/providers/error.ts'
import { openai } from '../../src/providers/openai.ts'
import type { Call, Order, OrderImage, Provider } from '../../src/providers/provider.ts'
import type { OpenaiUpstream } from './upstreams/openai.ts'

export interface Heard {
  phases: string[]
  progress: number[]
  partials: { bytes: Buffer; index: number }[]
}

/** A provider named `openai` at the fake, with its key, closed when the test ends. */
export function openOpenai(
  { url }: Pick<OpenaiUpstream, 'url'>,
  options: Record<string, unknown> = {},
): Provider {
  const entry = openai.options.parse({ baseUrl: url, apiKey: 'sk-test-key', ...options })
  const provider = openai.create('openai', entry)
  onTestFinished(() => provider.close())
  return provider
}

export function orderOf(wishes: Partial<Order> = {}): Order {
  const model = wishes.model ?? 'gpt-image-2'
  return {
    operation: wishes.images ? 'EDIT' : 'GENERATE',
    prompt: 'a red fox in the snow',
    model,
    upstreamModel: model,
    size: 'auto',
    quality: 'AUTO',
    background: 'AUTO',
    moderation: 'AUTO',
    outputFormat: 'PNG',
    outputCompression: null,
    inputFidelity: null,
    style: null,
    n: 1,
    partialImages: 0,
    user: null,
    images: [],
    mask: null,
    ...wishes,
  }
}

/** A call with a spool of its own, removed when the test ends. */
export async function openCall(signal = new AbortController().signal): Promise<{ call: Call; heard: Heard }> {
  const folder = await mkdtemp(join(tmpdir(), 'darkroom-openai-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const heard: Heard = { phases: [], progress: [], partials: [] }
  let files = 0
  const call: Call = {
    signal,
    clientRef: 'att_1',
    newFile: () => join(folder, String(files++)),
    onWire: (phase) => void heard.phases.push(phase),
    onProgress: (fraction) => void heard.progress.push(fraction),
    onPartial: async (file, index) => void heard.partials.push({ bytes: await readFile(file), index }),
  }
  return { call, heard }
}

/** Submits, expects the pictures to be done, and reads them. */
export async function develop(provider: Provider, wishes: Partial<Order> = {}) {
  const { call, heard } = await openCall()
  const answer = await provider.submit(orderOf(wishes), call)
  if (answer.state !== 'DONE') throw new Error(`The provider answered ${answer.state}`)
  const pictures = await Promise.all(answer.images.map(({ file }) => readFile(file)))
  return { ...answer, pictures, heard }
}

/** Submits and expects a ProviderError. */
export async function expectFailure(
  provider: Provider,
  order: Order,
  signal?: AbortSignal,
): Promise<Failure> {
  const { call } = await openCall(signal)
  try {
    await provider.submit(order, call)
  } catch (error) {
    if (error instanceof ProviderError) return error.failure
    throw error
  }
  throw new Error('The provider answered instead of failing')
}

/** An input image with these bytes. */
export function inputOf(bytes: Buffer, mimeType: OrderImage['mimeType'] = 'image/png'): OrderImage {
  const facts = { mimeType, width: 8, height: 8, byteSize: bytes.length, hasAlpha: false }
  return { ...facts, blob: async () => new Blob([new Uint8Array(bytes)]) }
}
