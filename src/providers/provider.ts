// The contract between the engine and every upstream. An adapter is stateless. It never sleeps, loops, retries, logs or
// reads the clock: the engine does.
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
  /** Unique among the configured providers. */
  readonly name: string
  readonly dialect: string
  readonly traits: ProviderTraits
  /** The models it serves. The engine sends no other. */
  readonly offers: readonly Offer[]
  /** True when the upstream runs on this machine and can call back a loopback address. */
  readonly loopback?: boolean
  /** The maximum of submits in progress at once. */
  readonly concurrency: number
  /** After this time a submit counts as lost. */
  readonly timeoutMs: number

  /** Sends the request. Throws ProviderError; any other error is a bug, and the outcome counts as lost. */
  submit(request: ProviderRequest, call: Call): Promise<Answer>
  /**
   * Returns the state of an accepted request, from its remote id and its settings alone: the model may have left the
   * configuration since. Absent where submit returns the result. A ProviderError of kind `rejected` or `broken` is about
   * the request; any other is about this check, and the engine checks again later.
   */
  check?(remoteId: string, settings: Settings, call: Call): Promise<Answer>
  /**
   * Reads the body of a callback. The body is not trusted: the engine calls `check` before it acts. Absent where the
   * dialect has no callbacks. Throws ProviderError `broken` for a malformed body.
   */
  receive?(body: string): Callback
  /** Removes the secrets of this account from a text that is to be stored. Absent where there are none. */
  hide?(text: string): string
  /**
   * Finds a request by `Call.clientRef` after the reply with the remote id was lost. Undefined when the upstream has no
   * record of it, or none yet: that proves nothing. Free of charge. Absent where the upstream has no such lookup. A
   * ProviderError is about the lookup, not about the request.
   */
  find?(clientRef: string, call: Call): Promise<{ remoteId: string } | undefined>
  /** Asks the upstream to stop. It may charge all the same. Absent where it cannot. */
  cancel?(remoteId: string, call: Call): Promise<void>
  /** Closes the sockets. Called once, after the last call has ended. */
  close(): Promise<void>
}

/** How a result arrives: in the reply, in a stream with previews, by polling, or after a callback. */
export const MODES = ['SYNC', 'STREAM', 'POLL', 'CALLBACK'] as const
/** How an attempt can be found after a crash, weakest first: not at all, by remote id, also by callback, or by client ref. */
export const RECOVERIES = ['NONE', 'REMOTE_ID', 'CALLBACK', 'CLIENT_REF'] as const

/** How a provider works, where the risk of a charge depends on it. */
export interface ProviderTraits {
  /** The preferred mode first. */
  modes: readonly (typeof MODES)[number][]
  /** Of the preferred mode. */
  recovery: (typeof RECOVERIES)[number]
  /** The charge of a failed request: UNKNOWN, or NO where the operator declares that failures are never billed. */
  failureCharge: Exclude<Charged, 'YES'>
}

/** One model at one provider. */
export interface Offer {
  /** The name clients use. */
  model: string
  /** The provider's name for it. */
  upstreamModel: string
  capabilities: Capabilities
  /** Null when not known: costs are then unknown, not zero. */
  price: Price | null
  /** ISO date after which the upstream no longer serves it; null when none is announced. */
  retiresOn: string | null
}

/** What a model at a provider can do. A setting outside of it is a warning or a refusal, never dropped. */
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
  /** Images per call. */
  maxN: number
  maxInputImages: number
  mask: boolean
  /** Previews per call; 0 where there are none. */
  maxPartialImages: number
  /** Whether the API has a field for the caller's end user. */
  user: boolean
  /** In Unicode code points. */
  maxPromptLength: number
}

/** The sizes of a model: a list, or every size within a rule. `auto` says whether `size: auto` is allowed as well. */
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

/** A price by tokens or by image. `version` names the price table, and is stored with each cost. */
export type Price = TokenPrice | ImagePrice

/** In micro-USD per million tokens of a class; null where the class does not exist. */
export interface TokenPrice {
  inputTextMicros: number
  inputImageMicros: number | null
  outputImageMicros: number
  outputTextMicros: number | null
  version: string
}

/** In micro-USD per finished image. */
export interface ImagePrice {
  /** Applies where no entry of `bySettings` matches. */
  imageMicros: number
  /** The first entry whose settings all match applies; an absent setting matches every value. */
  bySettings: readonly { size?: string | undefined; quality?: Quality | undefined; imageMicros: number }[]
  version: string
}

/** What an adapter is asked to make. Its settings are within the capabilities of the offer. */
export interface ProviderRequest extends Settings {
  operation: Operation
  /** The provider's name for the model. */
  upstreamModel: string
  /** Empty for a generation, 1 to 16 for an edit, in the client's order. */
  images: readonly ProviderRequestImage[]
  /** Has the size of the first image and an alpha channel, which the engine guarantees. Transparent pixels are redrawn. */
  mask: ProviderRequestImage | null
}

/** An input image on disk. */
export interface ProviderRequestImage extends ImageFacts {
  /** Read from disk when consumed. */
  blob(): Promise<Blob>
}

/** What the engine passes to an adapter for one call. */
export interface Call {
  /** Aborts at the deadline. The adapter must then stop and throw `lost`, or `unreached`. */
  signal: AbortSignal
  /** The id of the attempt. Send it wherever the upstream has a field for one. */
  clientRef: string
  /** The unguessable callback URL of this attempt. Absent when upstreams cannot reach this server. */
  callbackUrl?: string | undefined
  /** The W3C traceparent header to send. Absent unless the operator turned it on. */
  traceparent?: string | undefined
  /** Returns the path of a new spool file. The engine removes files that are left over. */
  newFile(): string
  /** Reports how far the request got, before the adapter goes on. Phases never go back. */
  onWire(phase: WirePhase, seen?: { httpStatus?: number; providerRequestId?: string }): void
  /** 0 to 1, never decreasing. The engine throttles it. */
  onProgress(fraction: number): void
  /** Hands over a preview at a `newFile()` path. Await it before the next one to keep the order. */
  onPartial(file: string, index: number): Promise<void>
}

/** The result of a submit or a check. Failures are thrown as ProviderError. */
export type Answer =
  | { state: 'ACCEPTED'; remoteId: string; checkAfterMs: number }
  | { state: 'PENDING'; progress: number | null; checkAfterMs: number }
  /** Checks only: the upstream does not know the remote id, or not yet. */
  | { state: 'MISSING'; checkAfterMs: number }
  | { state: 'DONE'; images: ReceivedImage[]; usage: Usage; resolved: ResolvedSettings }

/** What a callback claims to be about. */
export interface Callback {
  /** Null when the body names none. */
  remoteId: string | null
}

/** A finished image in the spool. */
export interface ReceivedImage {
  file: string
  /** The prompt as rewritten by the upstream; null when not reported. */
  revisedPrompt: string | null
}

/** What the upstream chose where the request said auto; absent where not reported. */
export interface ResolvedSettings {
  size?: string
  quality?: Quality
  background?: Background
  outputFormat?: OutputFormat
}

/** Usage that was not reported: unknown, not zero. */
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

/** A wire protocol and the configuration of its accounts. Registered in `providers/index.ts`. */
export interface Dialect<Options = unknown> {
  /** Validates a provider's entry in the configuration, without `name` and `dialect`. */
  readonly options: z.ZodType<Options>
  /** The entry that the usual environment variables make up; undefined when they are not set. */
  fromEnvironment(env: Readonly<Record<string, string | undefined>>): Record<string, unknown> | undefined
  create(name: string, options: Options): Provider
}
