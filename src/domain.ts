// The domain types of Darkroom: start here.
//
//   task       a client's request for images, from request to result
//   attempt    one try of a task at one provider: at most one charge; the unit of queueing
//   provider   a configured account: name, dialect, URL, credentials, models, prices
//   dialect    an adapter's wire protocol: openai, sandbox, …
//   remote id  the provider's id of a submitted attempt
//   asset      one stored image file, addressed by its content hash
//   rendition  a resized or re-encoded asset
//   event      one immutable line of a task's log, numbered from 1
//   cursor     a client's position in a log; opaque
//   project    the tenant: owns API keys, tasks, assets and budgets
//   API key    a project's credential, with scopes and limits
//   ledger     append-only money lines: hold, post, void, adjust
//   usage      an attempt's tokens, and their source: reported, estimated or unknown
//   webhook    a client's URL for the event that ends a task; a delivery is one event for one webhook
//   wake-up    a notification to look again; carries no data
//
// `Ms` is a duration, `Micros` integer micro-USD, `At` milliseconds since 1970 UTC.

import type { Animation, Complexity, Extra, MimeType, OutputFormat, SvgAuthor } from './formats.ts'

export * from './deliveries.ts'
export * from './formats.ts'

/** GraphQL enums, CHECK constraints and types derive from these lists. */
export const TASK_STATUSES = [
  'QUEUED',
  'RUNNING',
  'OUTCOME_UNKNOWN',
  'SUCCEEDED',
  'FAILED',
  'CANCELED',
] as const
export const OPERATIONS = ['GENERATE', 'EDIT'] as const
export const ATTEMPT_STATES = [
  'PLANNED',
  'LEASED',
  'SENDING',
  'ACCEPTED',
  'FETCHING',
  'UNKNOWN',
  'SUCCEEDED',
  'REJECTED',
  'NOT_SENT',
  'FAILED',
  'CANCELED',
] as const
export const CHARGES = ['NO', 'UNKNOWN', 'YES'] as const
export const WIRE_PHASES = ['NONE', 'INTENT', 'DISPATCHED', 'HEADERS', 'BODY_DONE'] as const
export const QUALITIES = ['AUTO', 'LOW', 'MEDIUM', 'HIGH', 'STANDARD', 'HD', 'XHIGH', 'MAX'] as const
export const BACKGROUNDS = ['AUTO', 'OPAQUE', 'TRANSPARENT'] as const
export const MODERATIONS = ['AUTO', 'LOW'] as const
export const INPUT_FIDELITIES = ['HIGH', 'LOW'] as const
export const STYLES = ['VIVID', 'NATURAL'] as const
export const UNSUPPORTED_POLICIES = ['WARN', 'ERROR'] as const
export const UNKNOWN_OUTCOME_POLICIES = ['HOLD', 'RESEND'] as const
export const USAGE_SOURCES = ['REPORTED', 'ESTIMATED', 'UNKNOWN'] as const
export const ASSET_KINDS = ['FINAL', 'PARTIAL', 'INPUT', 'MASK', 'MARKUP'] as const
export const WARNING_CODES = [
  'SETTING_IGNORED',
  'SETTING_CHANGED',
  'MODEL_RETIRING',
  'IMAGES_MISSING',
  'SIZE_DIFFERS',
  'FORMAT_DIFFERS',
  'BACKGROUND_DIFFERS',
] as const
/** HOLD reserves the worst case, POST records the cost, VOID releases the HOLD, ADJUST corrects a POST. */
export const LEDGER_KINDS = ['HOLD', 'POST', 'VOID', 'ADJUST'] as const
/** PRICE: a price table. REPORTED: with the result. BILL: the provider's. ESTIMATE: until one of the others. */
export const LEDGER_SOURCES = ['PRICE', 'REPORTED', 'OPERATOR', 'BILL', 'ESTIMATE'] as const
/** A moderation refusal, a reported failure, a request without answer: each may be charged. */
export const UNCERTAIN_CHARGES = ['MODERATION', 'FAILURE', 'TIMEOUT'] as const
export const PERIODS = ['DAY', 'MONTH', 'TOTAL'] as const
export const SCOPES = ['GENERATE', 'READ', 'REPORT', 'ADMIN'] as const
/**
 * Of a request that waits for a result: OPEN until delivered or not; TOLD_UNKNOWN: its caller knows that the
 * outcome is unknown; ATTACHED: a later request took its place.
 */
export const CALL_STATES = ['OPEN', 'DELIVERED', 'UNDELIVERED', 'TOLD_UNKNOWN', 'ATTACHED'] as const
export const TASK_ERROR_CODES = [
  'MODERATION_BLOCKED',
  'PROVIDER_RATE_LIMITED',
  'PROVIDER_QUOTA',
  'PROVIDER_REJECTED',
  'PROVIDER_MISCONFIGURED',
  'PROVIDER_UNREACHABLE',
  'PROVIDER_BROKEN',
  'RESULT_UNREACHABLE',
  'INPUT_IMAGE_INVALID',
  'INPUT_IMAGE_UNREACHABLE',
  'OUTCOME_UNKNOWN',
  'INTERNAL',
] as const

export type TaskStatus = (typeof TASK_STATUSES)[number]
export type Operation = (typeof OPERATIONS)[number]
export type AttemptState = (typeof ATTEMPT_STATES)[number]
/** By the provider. Treat UNKNOWN as charged. */
export type Charged = (typeof CHARGES)[number]
/** Provably reached: intent stored, first byte written, status line received, body read. */
export type WirePhase = (typeof WIRE_PHASES)[number]
export type Quality = (typeof QUALITIES)[number]
export type Background = (typeof BACKGROUNDS)[number]
export type Moderation = (typeof MODERATIONS)[number]
export type InputFidelity = (typeof INPUT_FIDELITIES)[number]
export type Style = (typeof STYLES)[number]
export type UnsupportedSettingPolicy = (typeof UNSUPPORTED_POLICIES)[number]
export type UnknownOutcomePolicy = (typeof UNKNOWN_OUTCOME_POLICIES)[number]
export type UsageSource = (typeof USAGE_SOURCES)[number]
export type AssetKind = (typeof ASSET_KINDS)[number]
export type WarningCode = (typeof WARNING_CODES)[number]
export type CallState = (typeof CALL_STATES)[number]
export type LedgerKind = (typeof LEDGER_KINDS)[number]
export type LedgerSource = (typeof LEDGER_SOURCES)[number]
export type UncertainCharge = (typeof UNCERTAIN_CHARGES)[number]
export type Period = (typeof PERIODS)[number]
/** GENERATE creates tasks, READ reads them, REPORT reads spending, ADMIN manages keys and unknown outcomes. */
export type Scope = (typeof SCOPES)[number]
export type TaskErrorCode = (typeof TASK_ERROR_CODES)[number]

export interface Settings {
  prompt: string
  /** Darkroom's name; providers may differ. */
  model: string
  /** `auto`, or `WIDTHxHEIGHT` in pixels. */
  size: string
  quality: Quality
  background: Background
  moderation: Moderation
  outputFormat: OutputFormat
  /** 0 (smallest) to 100 (best), JPEG and WEBP only; null: the provider's default. */
  outputCompression: number | null
  /** Edits only; null, as in `style`: the provider's default. */
  inputFidelity: InputFidelity | null
  /** dall-e-3 only. */
  style: Style | null
  /** 1 to 10. */
  n: number
  /** 0 to 3; a provider may send fewer. */
  partialImages: number
  /** The end user; newer name: `safetyIdentifier`. */
  user: string | null
  /** As `user`, or null if only that was given. */
  safetyIdentifier: string | null
  complexity: Complexity | null
  animation: Animation | null
  svg: SvgAuthor | null
  extra: Extra | null
}

export const DEFAULT_SETTINGS = {
  model: 'gpt-image-2',
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
  safetyIdentifier: null,
  complexity: null,
  animation: null,
  svg: null,
  extra: null,
} as const satisfies Omit<Settings, 'prompt'>

export const DEFAULT_POLICIES = { unsupported: 'WARN', onUnknownOutcome: 'HOLD', maxCharges: 1 } as const

/** Stored already, or downloaded before the provider is called. */
export type InputImage = { assetId: string } | { url: string }

/** Validated, stored with the task; immutable. */
export interface ImageRequest extends Settings {
  operation: Operation
  /** In order of preference; null: every capable one. */
  providers: string[] | null
  images: InputImage[]
  mask: InputImage | null
  markup: InputImage | null
  metadata: Record<string, string>
  unsupported: UnsupportedSettingPolicy
  onUnknownOutcome: UnknownOutcomePolicy
  /** Possible charges, 1 to 5. */
  maxCharges: number
  /** For this task only. */
  callbackUrl: string | null
}

/** A setting ignored or changed, or a result unlike the request. */
export interface Warning {
  code: WarningCode
  /** Input field, such as `quality`; null: the whole request. */
  field: string | null
  message: string
}

/** Safe for clients. */
export interface TaskError {
  code: TaskErrorCode
  message: string
  retryable: boolean
  charged: Charged
  /** For the provider's support. */
  providerRequestId: string | null
}

export const TOKEN_COUNTS = [
  'inputTokens',
  'outputTokens',
  'totalTokens',
  'inputTextTokens',
  'inputImageTokens',
  'outputTextTokens',
  'outputImageTokens',
  'svgInputTokens',
  'svgOutputTokens',
  'svgReasoningTokens',
] as const

/** Unreported values are null, never zero. `svg…`: of the author of an SVG, whose reasoning is part of its output. */
export interface Usage extends Record<(typeof TOKEN_COUNTS)[number], number | null> {
  source: UsageSource
}

/** From the image's bytes. */
export interface ImageFacts {
  mimeType: MimeType
  width: number
  height: number
  byteSize: number
  hasAlpha: boolean
}

export interface ResultFacts extends ImageFacts {
  /** 1 for a still image. */
  frames: number
  /** Of all frames; null for a still image. */
  durationMs: number | null
  /** Times that an animation plays, 0 for ever; null for a still image. */
  plays: number | null
}

export type TaskEventBody =
  | { type: 'TASK_QUEUED' }
  | { type: 'ATTEMPT_STARTED'; attemptId: string }
  | { type: 'TASK_PROGRESSED'; progress: number }
  | { type: 'PARTIAL_IMAGE_RECEIVED'; assetId: string; index: number }
  | { type: 'ATTEMPT_ENDED'; attemptId: string }
  | { type: 'OUTCOME_BECAME_UNKNOWN'; attemptId: string }
  | { type: 'TASK_FINISHED'; status: TaskStatus }

export function isFinished(status: TaskStatus): boolean {
  return status === 'SUCCEEDED' || status === 'FAILED' || status === 'CANCELED'
}

/** Undefined for `auto` and any text but `WIDTHxHEIGHT`. */
export function parseSize(size: string): { width: number; height: number } | undefined {
  const match = /^([1-9]\d{0,4})x([1-9]\d{0,4})$/.exec(size)
  return match ? { width: Number(match[1]), height: Number(match[2]) } : undefined
}

/** Of a project or API key; null: unlimited. */
export interface Limits {
  requestsPerMinute: number | null
  tasksPerMinute: number | null
  concurrentTasks: number | null
  uploadBytesPerMinute: number | null
}

export const NO_LIMITS: Limits = {
  requestsPerMinute: null,
  tasksPerMinute: null,
  concurrentTasks: null,
  uploadBytesPerMinute: null,
}

/** Milliseconds after the end of a task or a delivery. Null: as for the server. */
export interface ProjectRetention {
  tasksMs: number | null
  eventsMs: number | null
  partialImagesMs: number | null
  deliveriesMs: number | null
}

/** The project and API key that a request acts for. */
export interface Caller {
  projectId: string
  /** Null: anonymous, or the operator. */
  apiKeyId: string | null
}
