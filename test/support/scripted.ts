// A provider whose every answer the test decides: an argument of the engine like any other.
import { writeFile } from 'node:fs/promises'
import sharp from 'sharp'
import type { Settings, Usage } from '../../src/domain.ts'
import { ProviderError, type Failure } from '../../src/providers/error.ts'
import {
  UNKNOWN_USAGE,
  type Answer,
  type Call,
  type Order,
  type Provider,
} from '../../src/providers/provider.ts'
import { sandbox } from '../../src/providers/sandbox/sandbox.ts'

/** What a check knows of a request. */
export interface Checked {
  order: Settings
  call: Call
}

export interface Sent extends Checked {
  order: Order
}

export interface Scripted extends Provider {
  /** Every order it was sent, in order. */
  readonly sent: Sent[]
}

/** Answers what `script` says; `nth` counts from 1. It offers what the sandbox does. */
export function scripted(
  script: (sent: Sent, nth: number) => Promise<Answer>,
  more: Partial<Omit<Provider, 'submit'>> = {},
): Scripted {
  const { offers } = sandbox.create('sandbox', sandbox.options.parse({}))
  const sent: Sent[] = []
  return {
    name: 'scripted',
    dialect: 'scripted',
    workings: { modes: ['SYNC'], recovery: 'NONE', failureCharge: 'UNKNOWN' },
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

const PICTURE = await sharp({ create: { width: 64, height: 48, channels: 3, background: '#c46a4a' } })
  .png()
  .toBuffer()

/** 10 text tokens in and 100 image tokens out, as an upstream that counts would report them. */
export const REPORTED: Usage = {
  inputTokens: 10,
  outputTokens: 100,
  totalTokens: 110,
  inputTextTokens: 10,
  inputImageTokens: 0,
  outputTextTokens: 0,
  outputImageTokens: 100,
  source: 'REPORTED',
}

/** A file with a whole picture in the spool. */
export async function picture(call: Call): Promise<string> {
  const file = call.newFile()
  await writeFile(file, PICTURE)
  return file
}

/** The answer of a provider that did its work. */
export async function done({ call, order }: Checked, usage: Usage = UNKNOWN_USAGE): Promise<Answer> {
  call.onWire('HEADERS', { httpStatus: 200, providerRequestId: 'req-1' })
  const images = []
  for (let i = 0; i < order.n; i++) images.push({ file: await picture(call), revisedPrompt: null })
  call.onWire('BODY_DONE')
  return { state: 'DONE', images, usage, resolved: {} }
}

/** A failure of a kind, charged as such failures are. */
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

/** An answer that does not come before the test says so; cutting the call loses it, as on a wire. */
export function held(): {
  answer(sent: Checked): Promise<Answer>
  release(answer: Answer | Error): void
  resolveWith(make: (sent: Checked) => Promise<Answer>): void
} {
  let settle: (make: (sent: Checked) => Promise<Answer>) => void
  const released = new Promise<(sent: Checked) => Promise<Answer>>((resolve) => {
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
