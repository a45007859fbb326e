// The contract of adapters. Sleeping, retries, logging and the clock belong to the engine.
import type { z } from 'zod'
import {
  TOKEN_COUNTS,
  type Background,
  type Charged,
  type ImageFacts,
  type Operation,
  type OutputFormat,
  type Quality,
  type Settings,
  type Usage,
  type WirePhase,
} from '../domain.ts'
import type { Offer } from './offer.ts'

export type * from './offer.ts'

export interface Provider {
  readonly name: string
  readonly dialect: string
  /** Of the dialect; absent without one. */
  readonly preset?: string
  readonly traits: ProviderTraits
  readonly offers: readonly Offer[]
  /** Callbacks reach a loopback address. */
  readonly loopback?: boolean
  /** Of submits. */
  readonly concurrency: number
  /** Of a submit. */
  readonly timeoutMs: number

  /** What the operator vouches for where a charge is UNKNOWN; absent: UNKNOWN. */
  readonly charges?: ChargePolicy

  /** Throws ProviderError. Any other error is a bug: the outcome counts as lost. */
  submit(request: ProviderRequest, call: Call): Promise<CallResult>
  /**
   * Polls an accepted request, whose model may have left the configuration. ProviderError `rejected` or `broken` is
   * about the request, any other kind about this check.
   */
  check?(remoteId: string, settings: Settings, call: Call): Promise<CallResult>
  /** Parses an untrusted callback body. Throws ProviderError `broken`. */
  readCallback?(body: string): Callback
  /** Without the account's secrets. */
  redact?(text: string): string
  /** Finds a request whose remote id was lost. Undefined without a record, which may follow. */
  find?(clientRef: string, call: Call): Promise<{ remoteId: string } | undefined>
  /** For results as addresses; absent if replies hold the images. */
  readonly results?: ResultSource
  /** Requests a stop. The provider may still charge. */
  cancel?(remoteId: string, call: Call): Promise<void>
  /** What the account was billed for the models offered here. Absent without credentials. */
  fetchBill?(period: { from: number; to: number }, call: Pick<Call, 'signal'>): Promise<BilledDay[]>
  /** As the provider lists them now. Absent without such a list. Throws ProviderError. */
  listModels?(call: Pick<Call, 'signal'>): Promise<ListedModel[]>
  close(): Promise<void>
}

export interface ListedModel {
  upstreamModel: string
  /** ISO date; null if not reported. */
  retiresOn: string | null
}

export interface ResultSource {
  /** How long results stay available. */
  ttlMs: number
  /** Writes `url`, an address from a reply, to the new `file`. Throws DownloadError and leaves no file. */
  download(url: string, file: string, signal: AbortSignal): Promise<void>
}

/** A day in UTC. */
export interface BilledDay {
  startsAt: number
  micros: number
  /** Everything else on the account. */
  otherMicros: number
  /** As counted by the provider; null: not reported. */
  images: number | null
}

/** Per case: refused by moderation, failed, not answered. */
export interface ChargePolicy {
  readonly moderation: Charged
  /** Also 500 and above, and unreadable answers. */
  readonly failure: Charged
  readonly timeout: Charged
}

export const MODES = ['SYNC', 'STREAM', 'POLL', 'CALLBACK'] as const
/** What finds an attempt after a crash, weakest first. */
export const RECOVERIES = ['NONE', 'REMOTE_ID', 'CALLBACK', 'CLIENT_REF'] as const

export interface ProviderTraits {
  /** In order of preference. */
  modes: readonly (typeof MODES)[number][]
  /** Of the preferred mode. */
  recovery: (typeof RECOVERIES)[number]
  /** NO: the operator declares failures never billed. */
  failureCharge: Exclude<Charged, 'YES'>
}

/** Within the offer's capabilities. */
export interface ProviderRequest extends Settings {
  operation: Operation
  upstreamModel: string
  /** GENERATE: none; else 1 to 16. */
  images: readonly ProviderRequestImage[]
  /** As large as the first image; transparent pixels are redrawn. */
  mask: ProviderRequestImage | null
  /** Drawn hints, as large as the first image. */
  markup: ProviderRequestImage | null
}

export interface ProviderRequestImage extends ImageFacts {
  blob(): Promise<Blob>
}

export interface Call {
  /** Aborts at the deadline; the adapter then throws `lost` or `unreached`. */
  signal: AbortSignal
  /** The attempt's id. Send it if the API has a field for it. */
  clientRef: string
  /** Absent: the provider cannot reach this server. */
  callbackUrl?: string | undefined
  /** W3C trace context, to be sent. */
  traceparent?: string | undefined
  /** New spool path, deleted after the call. */
  newFile(): string
  /** Report before continuing. Phases never decrease. */
  onWire(phase: WirePhase, facts?: { httpStatus?: number; providerRequestId?: string }): void
  /** 0 to 1, never decreasing. The engine throttles. */
  onProgress(fraction: number): void
  /** A partial image at a `newFile()` path. Recorded in the order of the calls; resolves when it is. */
  onPartial(file: string, index: number): Promise<void>
}

export type CallResult =
  | { state: 'ACCEPTED'; remoteId: string; checkAfterMs: number }
  /** `unknownStatus`: not known to the dialect, counts as running. */
  | { state: 'PENDING'; progress: number | null; checkAfterMs: number; unknownStatus?: string | undefined }
  /** Checks only: the provider does not know the remote id (yet). */
  | { state: 'MISSING'; checkAfterMs: number }
  | ({ state: 'DONE'; images: ReceivedImage[]; usage: Usage; resolved: ResolvedSettings } & ReportedCost)

export interface ReportedCost {
  /** As the provider reported it. Null: unusable. Absent: not reported, so computed by price. */
  costMicros?: number | null | undefined
}

export interface Callback {
  remoteId: string | null
}

/** A spool file, or an address, stored before the download. */
export type ReceivedImage = ({ file: string } | { url: string }) & {
  revisedPrompt: string | null
}

export function filesOf(images: readonly ReceivedImage[]): string[] {
  return images.flatMap((image) => ('file' in image ? image.file : []))
}

/** The provider's choices for `auto`; absent: not reported. */
export interface ResolvedSettings {
  size?: string
  quality?: Quality
  background?: Background
  outputFormat?: OutputFormat
  /** Author of an SVG. */
  svgModel?: string
}

const NO_COUNTS: Record<string, null> = Object.fromEntries(TOKEN_COUNTS.map((name) => [name, null]))

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- an entry for each count
export const UNKNOWN_USAGE = { ...NO_COUNTS, source: 'UNKNOWN' } as unknown as Usage

export interface Dialect<Options = unknown> {
  /** Without `name` and `dialect`. */
  readonly options: z.ZodType<Options>
  /** Undefined if the variables are not set. */
  fromEnvironment(env: Readonly<Record<string, string | undefined>>): Record<string, unknown> | undefined
  create(name: string, options: Options): Provider
}
