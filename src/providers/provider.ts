// The contract between the engine and provider adapters. Adapters are stateless; sleeping, retries, logging and the clock
// belong to the engine.
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

export interface Provider {
  readonly name: string
  readonly dialect: string
  readonly traits: ProviderTraits
  readonly offers: readonly Offer[]
  /** True when callbacks can reach a loopback address. */
  readonly loopback?: boolean
  /** Maximum of concurrent submits. */
  readonly concurrency: number
  /** Deadline of a submit. */
  readonly timeoutMs: number

  /** Throws ProviderError. Any other error is a bug; the outcome then counts as lost. */
  submit(request: ProviderRequest, call: Call): Promise<CallResult>
  /**
   * Polls an accepted request; its model may have left the configuration. Absent when submit returns the result. A
   * ProviderError `rejected` or `broken` is about the request, any other kind only about this check.
   */
  check?(remoteId: string, settings: Settings, call: Call): Promise<CallResult>
  /** Parses an untrusted callback body; the engine calls `check` before it acts. Throws ProviderError `broken`. */
  readCallback?(body: string): Callback
  /** Redacts the account's secrets. */
  redact?(text: string): string
  /**
   * Finds a request by `Call.clientRef`, free of charge, when its remote id was lost. Undefined when there is no record,
   * which proves nothing: it may follow. A ProviderError is about the lookup only.
   */
  find?(clientRef: string, call: Call): Promise<{ remoteId: string } | undefined>
  /** For results that arrive as addresses. Absent when replies hold the images themselves. */
  readonly results?: ResultSource
  /** Requests a stop. The provider may still charge. */
  cancel?(remoteId: string, call: Call): Promise<void>
  /** Called once, after the last call. */
  close(): Promise<void>
}

export interface ResultSource {
  /** How long the provider keeps a result at its address. */
  ttlMs: number
  /** Writes the image at `url`, an address from a reply, to the new `file`. Throws DownloadError, without a file. */
  download(url: string, file: string, signal: AbortSignal): Promise<void>
}

/** How a result arrives: in the response, in a stream with partial images, by polling, or after a callback. */
export const MODES = ['SYNC', 'STREAM', 'POLL', 'CALLBACK'] as const
/** What identifies an attempt at the provider after a crash, weakest first. */
export const RECOVERIES = ['NONE', 'REMOTE_ID', 'CALLBACK', 'CLIENT_REF'] as const

export interface ProviderTraits {
  /** In order of preference. */
  modes: readonly (typeof MODES)[number][]
  /** Of the preferred mode. */
  recovery: (typeof RECOVERIES)[number]
  /** NO when the operator declares that failures are never billed. */
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
  /** ISO date on which the provider turns the model off; null when none is announced. */
  retiresOn: string | null
}

/** A setting outside the capabilities causes a warning or an error; it is never dropped silently. */
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
  /** Per call; 0 when not supported. */
  maxPartialImages: number
  /** Whether requests have a field for the end user. */
  user: boolean
  /** In Unicode code points. */
  maxPromptLength: number
}

/** `auto`: whether `size: auto` is allowed too. */
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
  /** Default when nothing in `bySettings` matches. */
  imageMicros: number
  /** The first match applies; an absent setting matches every value. */
  bySettings: readonly { size?: string | undefined; quality?: Quality | undefined; imageMicros: number }[]
  version: string
}

/** Settings are within the capabilities of the offer. */
export interface ProviderRequest extends Settings {
  operation: Operation
  upstreamModel: string
  /** Empty for GENERATE, else 1 to 16. */
  images: readonly ProviderRequestImage[]
  /** Same size as the first image, with an alpha channel; transparent pixels are redrawn. */
  mask: ProviderRequestImage | null
}

export interface ProviderRequestImage extends ImageFacts {
  /** Read from disk lazily. */
  blob(): Promise<Blob>
}

export interface Call {
  /** Aborts at the deadline; the adapter then throws `lost` or `unreached`. */
  signal: AbortSignal
  /** The attempt's id. Send it where the API has a field for it. */
  clientRef: string
  /** Unguessable, one per attempt. Absent when the provider cannot reach this server. */
  callbackUrl?: string | undefined
  /** W3C trace context to send; present when the operator enables it. */
  traceparent?: string | undefined
  /** A new path in the spool. The engine deletes the file after the call. */
  newFile(): string
  /** Report a phase before continuing. Phases never decrease. */
  onWire(phase: WirePhase, facts?: { httpStatus?: number; providerRequestId?: string }): void
  /** 0 to 1, never decreasing. Throttled by the engine. */
  onProgress(fraction: number): void
  /** A partial image at a `newFile()` path. Await it to keep the order. */
  onPartial(file: string, index: number): Promise<void>
}

/** What a submit or a check returns. */
export type CallResult =
  | { state: 'ACCEPTED'; remoteId: string; checkAfterMs: number }
  | { state: 'PENDING'; progress: number | null; checkAfterMs: number }
  /** Checks only: the provider does not know the remote id (yet). */
  | { state: 'MISSING'; checkAfterMs: number }
  | { state: 'DONE'; images: ReceivedImage[]; usage: Usage; resolved: ResolvedSettings }

export interface Callback {
  /** Null when the body names none. */
  remoteId: string | null
}

/** A file in the spool, or an address that the engine stores before it downloads the image. */
export type ReceivedImage = ({ file: string } | { url: string }) & {
  /** Null when not reported. */
  revisedPrompt: string | null
}

/** The files of the images that are not addresses. */
export function filesOf(images: readonly ReceivedImage[]): string[] {
  return images.flatMap((image) => ('file' in image ? image.file : []))
}

/** Values that the provider chose for `auto`; absent when not reported. */
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
  /** Schema of a provider's configuration entry, without `name` and `dialect`. */
  readonly options: z.ZodType<Options>
  /** A configuration entry from environment variables; undefined when they are not set. */
  fromEnvironment(env: Readonly<Record<string, string | undefined>>): Record<string, unknown> | undefined
  create(name: string, options: Options): Provider
}
