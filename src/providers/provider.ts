// The contract between engine and adapters. Sleeping, retries, logging and the clock belong to the engine.
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
  /** Of submits. */
  readonly concurrency: number
  /** Deadline of a submit. */
  readonly timeoutMs: number

  /** What the operator vouches for where a charge is UNKNOWN; absent: UNKNOWN. */
  readonly charges?: ChargePolicy

  /** Throws ProviderError. Any other error is a bug; the outcome then counts as lost. */
  submit(request: ProviderRequest, call: Call): Promise<CallResult>
  /**
   * Polls an accepted request, whose model may have left the configuration. A ProviderError `rejected` or `broken` is
   * about the request, any other kind about this check.
   */
  check?(remoteId: string, settings: Settings, call: Call): Promise<CallResult>
  /** Parses an untrusted callback body. Throws ProviderError `broken`. */
  readCallback?(body: string): Callback
  /** Redacts the account's secrets. */
  redact?(text: string): string
  /** Finds a request whose remote id was lost. Undefined without a record, which may follow. */
  find?(clientRef: string, call: Call): Promise<{ remoteId: string } | undefined>
  /** For results that arrive as addresses. Absent when replies hold the images themselves. */
  readonly results?: ResultSource
  /** Requests a stop. The provider may still charge. */
  cancel?(remoteId: string, call: Call): Promise<void>
  /** What the account was billed for the models offered here, by day in UTC. Absent without the credentials. */
  fetchBill?(period: { from: number; to: number }, call: Pick<Call, 'signal'>): Promise<BilledDay[]>
  close(): Promise<void>
}

export interface ResultSource {
  /** How long the provider keeps a result at its address. */
  ttlMs: number
  /** Writes the image at `url`, an address from a reply, to the new `file`. Throws DownloadError, without a file. */
  download(url: string, file: string, signal: AbortSignal): Promise<void>
}

/** One day in UTC on the bill of an account. */
export interface BilledDay {
  startsAt: number
  micros: number
  /** Of everything else on the account. */
  otherMicros: number
  /** As counted by the provider; null when not reported. */
  images: number | null
}

/** Whether a request is charged that moderation refused, that failed, or that was not answered. */
export interface ChargePolicy {
  readonly moderation: Charged
  /** Also statuses of 500 or more, and unreadable answers. */
  readonly failure: Charged
  readonly timeout: Charged
}

export const MODES = ['SYNC', 'STREAM', 'POLL', 'CALLBACK'] as const
/** What identifies an attempt after a crash, weakest first. */
export const RECOVERIES = ['NONE', 'REMOTE_ID', 'CALLBACK', 'CLIENT_REF'] as const

export interface ProviderTraits {
  /** In order of preference. */
  modes: readonly (typeof MODES)[number][]
  /** Of the preferred mode. */
  recovery: (typeof RECOVERIES)[number]
  /** NO: the operator declares that failures are never billed. */
  failureCharge: Exclude<Charged, 'YES'>
}

export interface Offer {
  model: string
  /** The provider's name for it. */
  upstreamModel: string
  capabilities: Capabilities
  /** Null when unknown: costs are then unknown, not zero. */
  price: Price | null
  /** ISO date of the shutdown; null when none is announced. */
  retiresOn: string | null
}

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
  maxPartialImages: number
  /** Whether `user` can be sent. */
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

/** `version` is stored with each cost. */
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
  /** Default. */
  imageMicros: number
  /** The first match applies; an absent setting matches every value. */
  bySettings: readonly { size?: string | undefined; quality?: Quality | undefined; imageMicros: number }[]
  version: string
}

/** Within the capabilities of the offer. */
export interface ProviderRequest extends Settings {
  operation: Operation
  upstreamModel: string
  /** Empty for GENERATE, else 1 to 16. */
  images: readonly ProviderRequestImage[]
  /** Same size as the first image; transparent pixels are redrawn. */
  mask: ProviderRequestImage | null
}

export interface ProviderRequestImage extends ImageFacts {
  blob(): Promise<Blob>
}

export interface Call {
  /** Aborts at the deadline; the adapter then throws `lost` or `unreached`. */
  signal: AbortSignal
  /** The attempt's id. Send it where the API has a field for it. */
  clientRef: string
  /** Absent when the provider cannot reach this server. */
  callbackUrl?: string | undefined
  /** W3C trace context, to be sent. */
  traceparent?: string | undefined
  /** A new path in the spool, deleted after the call. */
  newFile(): string
  /** Report a phase before continuing. Phases never decrease. */
  onWire(phase: WirePhase, facts?: { httpStatus?: number; providerRequestId?: string }): void
  /** 0 to 1, never decreasing. Throttled by the engine. */
  onProgress(fraction: number): void
  /** A partial image at a `newFile()` path. Recorded in the order of the calls; resolves when it is. */
  onPartial(file: string, index: number): Promise<void>
}

export type CallResult =
  | { state: 'ACCEPTED'; remoteId: string; checkAfterMs: number }
  /** `unknownStatus`: a status that the dialect does not know, which counts as running. */
  | { state: 'PENDING'; progress: number | null; checkAfterMs: number; unknownStatus?: string | undefined }
  /** Checks only: the provider does not know the remote id (yet). */
  | { state: 'MISSING'; checkAfterMs: number }
  | { state: 'DONE'; images: ReceivedImage[]; usage: Usage; resolved: ResolvedSettings }

export interface Callback {
  remoteId: string | null
}

/** A file in the spool, or an address that the engine stores before it downloads the image. */
export type ReceivedImage = ({ file: string } | { url: string }) & {
  revisedPrompt: string | null
}

/** The files of the images that are not addresses. */
export function filesOf(images: readonly ReceivedImage[]): string[] {
  return images.flatMap((image) => ('file' in image ? image.file : []))
}

/** The provider's choices for `auto`; absent when not reported. */
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
  /** Undefined when the variables are not set. */
  fromEnvironment(env: Readonly<Record<string, string | undefined>>): Record<string, unknown> | undefined
  create(name: string, options: Options): Provider
}
