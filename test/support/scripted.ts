// A provider whose results are decided by the test.
import { writeFile } from 'node:fs/promises'
import sharp from 'sharp'
import type { Settings, Usage } from '../../src/domain.ts'
import { ProviderError, type Failure } from '../../src/providers/error.ts'
import {
  UNKNOWN_USAGE,
  type CallResult,
  type Call,
  type ProviderRequest,
  type Provider,
} from '../../src/providers/provider.ts'
import { sandbox } from '../../src/providers/sandbox/sandbox.ts'

export interface Checked {
  order: Settings
  call: Call
}

export interface Sent extends Checked {
  order: ProviderRequest
}

export interface Scripted extends Provider {
  /** All requests, in order. */
  readonly sent: Sent[]
}

/** Returns what `script` returns; `nth` counts from 1. It has the offers of the sandbox. */
export function scripted(
  script: (sent: Sent, nth: number) => Promise<CallResult>,
  more: Partial<Omit<Provider, 'submit'>> = {},
): Scripted {
  const { offers } = sandbox.create('sandbox', sandbox.options.parse({}))
  const sent: Sent[] = []
  return {
    name: 'scripted',
    dialect: 'scripted',
    traits: { modes: ['SYNC'], recovery: 'NONE', failureCharge: 'UNKNOWN' },
    offers,
    concurrency: 4,
    timeoutMs: 60_000,
    sent,
    submit(order, call) {
      sent.push({ order, call })
      call.onWire('DISPATCHED')
      return script({ order, call }, sent.length)
    },
    async close() {},
    ...more,
  }
}

const IMAGE = await sharp({ create: { width: 64, height: 48, channels: 3, background: '#c46a4a' } })
  .png()
  .toBuffer()

export const REPORTED: Usage = {
  ...UNKNOWN_USAGE,
  inputTokens: 10,
  outputTokens: 100,
  totalTokens: 110,
  inputTextTokens: 10,
  inputImageTokens: 0,
  outputTextTokens: 0,
  outputImageTokens: 100,
  source: 'REPORTED',
}

/** Writes a valid image into the spool and returns its path. */
export async function writeImage(call: Pick<Call, 'newFile'>): Promise<string> {
  const file = call.newFile()
  await writeFile(file, IMAGE)
  return file
}

/** The result of a successful call. */
export async function done({ call, order }: Checked, usage: Usage = UNKNOWN_USAGE): Promise<CallResult> {
  call.onWire('HEADERS', { httpStatus: 200, providerRequestId: 'req-1' })
  const images = []
  for (let i = 0; i < order.n; i++) images.push({ file: await writeImage(call), revisedPrompt: null })
  call.onWire('BODY_DONE')
  return { state: 'DONE', images, usage, resolved: {} }
}

/** A failure of a kind, charged as is usual for that kind. */
export function failure(kind: Failure['kind'], more: Partial<Failure> = {}): ProviderError {
  const code = {
    rejected: 'MODERATION_BLOCKED',
    refused: 'PROVIDER_QUOTA',
    busy: 'PROVIDER_RATE_LIMITED',
    unreached: 'PROVIDER_UNREACHABLE',
    broken: 'PROVIDER_BROKEN',
    lost: 'OUTCOME_UNKNOWN',
  } as const
  const charged = kind === 'lost' || kind === 'broken' ? 'UNKNOWN' : 'NO'
  return new ProviderError({ kind, code: code[kind], message: `It was ${kind}.`, charged, ...more })
}

/** A result that waits for the test. Aborting the call loses it. */
export function held(): {
  answer(sent: Checked): Promise<CallResult>
  release(answer: CallResult | Error): void
  resolveWith(make: (sent: Checked) => Promise<CallResult>): void
} {
  let settle: (make: (sent: Checked) => Promise<CallResult>) => void
  const released = new Promise<(sent: Checked) => Promise<CallResult>>((resolve) => {
    settle = resolve
  })
  return {
    async answer(sent) {
      const { signal } = sent.call
      const cut = new Promise<never>((_, reject) => {
        signal.addEventListener('abort', () => reject(failure('lost', { message: 'The call was cut.' })))
      })
      return Promise.race([released.then((make) => make(sent)), cut])
    },
    release: (answer) =>
      settle(() => (answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer))),
    resolveWith: (make) => settle(make),
  }
}
