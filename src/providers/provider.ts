// The contract between the engine and every upstream. Adapters are stateless. They never sleep, loop, retry, log or
// read the clock: the engine does.
import type { z } from 'zod'
import type {
  Background,
  Charged,
  ImageFacts,
  InputFidelity,
  Moderation,
  Operation,
  OutputFormat,
  Quality,
  Settings,
  Style,
  Usage,
  WirePhase,
} from '../domain.ts'

/** A configured upstream account. */
export interface Provider {
  readonly name: string
  readonly dialect: string
  readonly traits: ProviderTraits
  readonly offers: readonly Offer[]
  /** True when the upstream can call back a loopback address. */
  readonly loopback?: boolean
  /** Maximum of submits in progress. */
  readonly concurrency: number
  /** Deadline of a submit. */
  readonly timeoutMs: number

  /** Throws ProviderError. Any other error is a bug, and the outcome counts as lost. */
  submit(request: ProviderRequest, call: Call): Promise<Answer>
  /**
   * The state of an accepted request, whose model may have left the configuration. Absent where submit returns the
   * result. A ProviderError `rejected` or `broken` is about the request; any other only about this check.
   */
  check?(remoteId: string, settings: Settings, call: Call): Promise<Answer>
  /**
   * Reads the body of a callback, which is not trusted: the engine calls `check` before it acts. Throws ProviderError
   * `broken` for a malformed body.
   */
  receive?(body: string): Callback
  /** Removes the account's secrets from a text that is to be stored. */
  hide?(text: string): string
  /**
   * Finds a request by `Call.clientRef` after the reply with its remote id was lost. Undefined without a record, which
   * proves nothing: there may be none yet. Free of charge. A ProviderError is about the lookup only.
   */
  find?(clientRef: string, call: Call): Promise<{ remoteId: string } | undefined>
  /** Asks the upstream to stop. It may charge all the same. */
  cancel?(remoteId: string, call: Call): Promise<void>
  /** Called once, after the last call. */
  close(): Promise<void>
}

/** How a result arrives: in the reply, in a stream with previews, by polling, or after a callback. */
export const MODES = ['SYNC', 'STREAM', 'POLL', 'CALLBACK'] as const
/** How an attempt is found after a crash, weakest first. */
export const RECOVERIES = ['NONE', 'REMOTE_ID', 'CALLBACK', 'CLIENT_REF'] as const

/** What the risk of a charge depends on. */
export interface ProviderTraits {
  /** The preferred mode first. */
  modes: readonly (typeof MODES)[number][]
  /** Of the preferred mode. */
  recovery: (typeof RECOVERIES)[number]
  /** The charge of a failed request: NO where the operator declares that failures are never billed. */
  failureCharge: Exclude<Charged, 'YES'>
}

export interface Offer {
  /** Darkroom's name for the model. */
  model: string
  /** The provider's name for the model. */
  upstreamModel: string
  capabilities: Capabilities
  /** Null when unknown: costs are then unknown, not zero. */
  price: Price | null
  /** ISO date on which the upstream switches it off; null when none is announced. */
  retiresOn: string | null
}

/** A setting outside of the capabilities is a warning or a refusal, never dropped. */
export interface Capabilities {
  operations: readonly Operation[]
  sizes: SizeRule
  qualities: readonly Quality[]
  backgrounds: readonly Background[]
  moderations: readonly Moderation[]
  outputFormats: readonly OutputFormat[]
  outputCompression: boolean
  inputFidelities: readonly InputFidelity[]
  styles: readonly Style[]
  /** Per call. */
  maxN: number
  maxInputImages: number
  mask: boolean
  /** Per call; 0 for no previews. */
  maxPartialImages: number
  /** Whether there is a field for the end user. */
  user: boolean
  /** In Unicode code points. */
  maxPromptLength: number
}

/** `auto` tells whether `size: auto` is allowed besides. */
export type SizeRule =
  | { kind: 'list'; auto: boolean; values: readonly string[] }
  | {
      kind: 'rule'
      auto: boolean
      /** Of both edges. */
      multipleOf: number
      maxEdge: number
      /** Long edge over short edge. */
      maxRatio: number
      minPixels: number
      maxPixels: number
    }

/** `version` names the price table and is stored with each cost. */
export type Price = TokenPrice | ImagePrice

/** Micro-USD per million tokens; null where the class does not exist. */
export interface TokenPrice {
  inputTextMicros: number
  inputImageMicros: number | null
  outputImageMicros: number
  outputTextMicros: number | null
  version: string
}

/** Micro-USD per finished image. */
export interface ImagePrice {
  /** Without a match in `bySettings`. */
  imageMicros: number
  /** The first match applies; an absent setting matches every value. */
  bySettings: readonly { size?: string | undefined; quality?: Quality | undefined; imageMicros: number }[]
  version: string
}

/** Settings are within the capabilities of the offer. */
export interface ProviderRequest extends Settings {
  operation: Operation
  upstreamModel: string
  /** Empty for a generation, else 1 to 16 in the client's order. */
  images: readonly ProviderRequestImage[]
  /** Guaranteed: the size of the first image, and an alpha channel. Transparent pixels are redrawn. */
  mask: ProviderRequestImage | null
}

export interface ProviderRequestImage extends ImageFacts {
  /** Reads from disk when consumed. */
  blob(): Promise<Blob>
}

export interface Call {
  /** Aborts at the deadline. The adapter must then throw `lost` or `unreached`. */
  signal: AbortSignal
  /** The attempt's id, to be sent wherever the upstream has a field for it. */
  clientRef: string
  /** The attempt's unguessable callback URL. Absent when upstreams cannot reach this server. */
  callbackUrl?: string | undefined
  /** The W3C header to send, where the operator turned it on. */
  traceparent?: string | undefined
  /** A new path in the spool. The engine removes leftovers. */
  newFile(): string
  /** Called before the adapter goes on. Phases never go back. */
  onWire(phase: WirePhase, facts?: { httpStatus?: number; providerRequestId?: string }): void
  /** 0 to 1, never decreasing. The engine throttles it. */
  onProgress(fraction: number): void
  /** A preview at a `newFile()` path. Await it to keep the order. */
  onPartial(file: string, index: number): Promise<void>
}

export type Answer =
  | { state: 'ACCEPTED'; remoteId: string; checkAfterMs: number }
  | { state: 'PENDING'; progress: number | null; checkAfterMs: number }
  /** Checks only: the remote id is unknown, perhaps not yet known. */
  | { state: 'MISSING'; checkAfterMs: number }
  | { state: 'DONE'; images: ReceivedImage[]; usage: Usage; resolved: ResolvedSettings }

export interface Callback {
  /** Null when the body names none. */
  remoteId: string | null
}

export interface ReceivedImage {
  file: string
  /** Null when not reported. */
  revisedPrompt: string | null
}

/** What the upstream chose for `auto`; absent where not reported. */
export interface ResolvedSettings {
  size?: string
  quality?: Quality
  background?: Background
  outputFormat?: OutputFormat
}

export const UNKNOWN_USAGE: Usage = {
  inputTokens: null,
  outputTokens: null,
  totalTokens: null,
  inputTextTokens: null,
  inputImageTokens: null,
  outputTextTokens: null,
  outputImageTokens: null,
  source: 'UNKNOWN',
}

export interface Dialect<Options = unknown> {
  /** Validates a provider's entry in the configuration, without `name` and `dialect`. */
  readonly options: z.ZodType<Options>
  /** The entry from environment variables; undefined when they are not set. */
  fromEnvironment(env: Readonly<Record<string, string | undefined>>): Record<string, unknown> | undefined
  create(name: string, options: Options): Provider
}
