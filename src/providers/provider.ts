// The contract between the engine and every upstream. An adapter is boring: stateless, the same verbs in the same
// order. It never sleeps, loops, retries, logs or reads the clock; that is the engine's.
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

/** A configured upstream account, ready to be asked. */
export interface Provider {
  /** The operator's name for it, unique among the configured ones. */
  readonly name: string
  readonly dialect: string
  readonly workings: Workings
  /** What it serves. A model that is not listed is never sent here. */
  readonly offers: readonly Offer[]
  /** True when it runs on this machine, and so can call back a server that only this machine reaches. */
  readonly loopback?: boolean
  /** How many submitted calls may be under way at once. */
  readonly concurrency: number
  /** How long one submit may take before its outcome counts as lost. */
  readonly timeoutMs: number

  /** Sends the order. Throws ProviderError; anything else thrown is a bug and its outcome counts as lost. */
  submit(order: Order, call: Call): Promise<Answer>
  /**
   * Asks how an accepted order is doing. Absent where the dialect answers at once. A ProviderError thrown here that
   * says `rejected` or `broken` is about the order; any other is about the question, which is asked again later.
   */
  check?(remoteId: string, settings: Settings, call: Call): Promise<Answer>
  /**
   * Reads a callback's body, as it came. Pure, and believes nothing: what is in it is confirmed by `check` before it
   * counts. Absent where the dialect never calls back. Throws ProviderError `broken` for a body that makes no sense.
   */
  receive?(body: string): Callback
  /** A text of the upstream's without this account's secrets, to be kept. Absent where there are none to hide. */
  hide?(text: string): string
  /**
   * Looks for an order by our own id for it, after the answer with the remote id was lost; undefined when none is on
   * record there, or not yet, which proves nothing. Free of charge. Absent where orders cannot be found so. Throws
   * ProviderError, which is about the question and not about the order.
   */
  find?(clientRef: string, call: Call): Promise<{ remoteId: string } | undefined>
  /** Asks the upstream to stop. Absent where it cannot; never proof that nothing is charged. */
  cancel?(remoteId: string, call: Call): Promise<void>
  /** Frees sockets. Called once, after the last call has ended. */
  close(): Promise<void>
}

/** Ways of asking: one reply, a stream with previews, submit and ask again, or submit and be called back. */
export const MODES = ['SYNC', 'STREAM', 'POLL', 'CALLBACK'] as const
/**
 * How an attempt whose answer was lost can be found again, the weakest first: not at all, by its remote id, by its own
 * callback too, or by our own id for it, which needs nobody to call.
 */
export const RECOVERIES = ['NONE', 'REMOTE_ID', 'CALLBACK', 'CLIENT_REF'] as const

/** How a provider works, as far as money hangs on it. */
export interface Workings {
  /** The ways it may be asked in, the one it is asked in by preference first. */
  modes: readonly (typeof MODES)[number][]
  /** Of the first of its modes. */
  recovery: (typeof RECOVERIES)[number]
  /** What a failure of its own after it took the order counts as: UNKNOWN, unless somebody vouches that it is free. */
  failureCharge: Exclude<Charged, 'YES'>
}

/** One model at one provider. */
export interface Offer {
  /** Darkroom's name for the model. */
  model: string
  /** The provider's name for it. */
  upstreamModel: string
  capabilities: Capabilities
  /** Null when nobody told us: costs are then unknown, not zero. */
  price: Price | null
  /** ISO date after which the upstream no longer serves it; null when none is announced. */
  retiresOn: string | null
}

/** What a model at a provider can do, as data. A setting outside of it is a named warning or a refusal, never dropped. */
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
  /** The most pictures one call may ask for. */
  maxN: number
  maxInputImages: number
  mask: boolean
  /** The most previews one call may ask for; 0 where there are none. */
  maxPartialImages: number
  /** Whether it takes the caller's end user. */
  user: boolean
  /** In Unicode code points. */
  maxPromptLength: number
}

/** Which sizes a model takes: a list of names, or any that keep a rule. `auto` is always allowed where `auto` is true. */
export type SizeRule =
  | { kind: 'list'; auto: boolean; values: readonly string[] }
  | {
      kind: 'rule'
      auto: boolean
      /** Both edges must be multiples of this. */
      multipleOf: number
      maxEdge: number
      /** Long edge over short edge. */
      maxRatio: number
      minPixels: number
      maxPixels: number
    }

/** What a model costs: by tokens, or by picture. `version` says which table it is, and is stored with each cost. */
export type Price = TokenPrice | ImagePrice

/** In micro-USD per million tokens of each class; null where the class does not exist. */
export interface TokenPrice {
  inputTextMicros: number
  inputImageMicros: number | null
  outputImageMicros: number
  outputTextMicros: number | null
  /** Its date and source. */
  version: string
}

/** In micro-USD per finished picture. */
export interface ImagePrice {
  /** Where no entry of `bySettings` holds. */
  imageMicros: number
  /** The first entry whose settings all hold counts; a setting left out holds always. */
  bySettings: readonly { size?: string | undefined; quality?: Quality | undefined; imageMicros: number }[]
  /** Its date and source. */
  version: string
}

/** What an adapter is asked to do: only settings that its capabilities allow. */
export interface Order extends Settings {
  operation: Operation
  /** The provider's own name for the model. */
  upstreamModel: string
  /** Empty for a generation, 1 to 16 for an edit, in the client's order. */
  images: readonly OrderImage[]
  /** Same size as the first image; transparent pixels are redrawn. */
  mask: OrderImage | null
}

/** An input image, on disk. */
export interface OrderImage extends ImageFacts {
  /** The bytes, read from disk when they are consumed. */
  blob(): Promise<Blob>
}

/** What the engine hands an adapter for one call. */
export interface Call {
  /** Aborts at the deadline. The adapter must then stop and throw `lost` (or `unreached`). */
  signal: AbortSignal
  /** Our own id for the attempt: send it wherever the upstream has a field for one. */
  clientRef: string
  /** Where the upstream may tell that it is done: an address for this attempt alone, that nobody can guess. Absent when upstreams cannot reach this server. */
  callbackUrl?: string | undefined
  /** The W3C traceparent to send along. Absent unless the operator wants upstreams to be told. */
  traceparent?: string | undefined
  /** A path for a new file in the spool. The engine owns whatever is written there and removes what is left. */
  newFile(): string
  /** How far the request got; later phases only. Called before the adapter goes on. */
  onWire(phase: WirePhase, seen?: { httpStatus?: number; providerRequestId?: string }): void
  /** 0..1, never decreasing; may be called often, the engine thins it out. */
  onProgress(fraction: number): void
  /** A preview, written to a `newFile()` path. Await it before the next one, so that order is kept. */
  onPartial(file: string, index: number): Promise<void>
}

/** What an upstream said. Failures are thrown, as ProviderError. */
export type Answer =
  | { state: 'ACCEPTED'; remoteId: string; checkAfterMs: number }
  | { state: 'PENDING'; progress: number | null; checkAfterMs: number }
  /** A check's answer only: the upstream does not know the remote id, or not yet. */
  | { state: 'MISSING'; checkAfterMs: number }
  | { state: 'DONE'; images: ReceivedImage[]; usage: Usage; resolved: ResolvedSettings }

/** What a callback says it is about. */
export interface Callback {
  /** Null when the body does not name one. */
  remoteId: string | null
}

/** A finished picture in the spool. */
export interface ReceivedImage {
  file: string
  /** The prompt as the upstream rewrote it; null when it did not say. */
  revisedPrompt: string | null
}

/** What the upstream chose where the order said auto; absent where it did not say. */
export interface ResolvedSettings {
  size?: string
  quality?: Quality
  background?: Background
  outputFormat?: OutputFormat
}

/** No usage was reported: unknown, which is not zero. */
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

/** A wire language, and how an account that speaks it is configured. Registered in `providers/index.ts`. */
export interface Dialect<Options = unknown> {
  /** Validates a provider's entry in the configuration, its `name` and `dialect` taken off. */
  readonly options: z.ZodType<Options>
  /** The entry that its usual environment variables stand for; undefined when they are not set. */
  fromEnvironment(env: Readonly<Record<string, string | undefined>>): Record<string, unknown> | undefined
  create(name: string, options: Options): Provider
}
