// The words of Darkroom. Everything else is written in them, so read this file first.
//
//   task      what a client asked for; lives from request to result
//   attempt   one try of a task at one provider: one possible charge; a row, and the unit of queueing
//   provider  a configured upstream account: name, dialect, URL, credentials, models, prices
//   dialect   the wire language an adapter speaks: openai, sandbox, …
//   remote id the upstream's own id for what we submitted
//   asset     one stored image file, addressed by its content hash
//   rendition an asset resized or re-encoded on request
//   event     one immutable line in a task's log, numbered 1, 2, 3 … within that task
//   cursor    a client's place in a log; opaque to it
//   project   the tenant: owns API keys, tasks, assets and budgets
//   API key   a project's credential, with scopes and limits
//   ledger    append-only money lines: hold, post, void, adjust
//   usage     the tokens an attempt consumed, as reported, estimated or unknown: it says which
//   webhook   an address of a client's that is told when a task ends; a delivery is one event on its way there
//   wake-up   a notification to look again; carries no data
//
// Durations end in `Ms`, money in `Micros` (integer micro-USD), moments in `At` (milliseconds since 1970, UTC).

/** The values of every closed word list: the schema's enums, the tables' CHECKs and the types below come from here. */
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
export const OUTPUT_FORMATS = ['PNG', 'JPEG', 'WEBP'] as const
export const INPUT_FIDELITIES = ['HIGH', 'LOW'] as const
export const STYLES = ['VIVID', 'NATURAL'] as const
export const UNSUPPORTED_POLICIES = ['WARN', 'ERROR'] as const
export const UNKNOWN_OUTCOME_POLICIES = ['HOLD', 'RESEND'] as const
export const USAGE_SOURCES = ['REPORTED', 'ESTIMATED', 'UNKNOWN'] as const
export const ASSET_KINDS = ['FINAL', 'PARTIAL', 'INPUT', 'MASK'] as const
export const WARNING_CODES = [
  'SETTING_IGNORED',
  'SETTING_CHANGED',
  'MODEL_RETIRING',
  'IMAGES_MISSING',
  'SIZE_DIFFERS',
] as const
export const IMAGE_MIME_TYPES = ['image/png', 'image/jpeg', 'image/webp'] as const
/** HOLD: the most it could cost, from the start. POST: what it cost. VOID: it cost nothing. ADJUST: a correction of a POST. */
export const LEDGER_KINDS = ['HOLD', 'POST', 'VOID', 'ADJUST'] as const
/** What a budget is for: a calendar day or month of UTC, or all time. */
export const PERIODS = ['DAY', 'MONTH', 'TOTAL'] as const
export const SCOPES = ['GENERATE', 'READ', 'REPORT', 'ADMIN'] as const
export const WEBHOOK_EVENTS = [
  'TASK_SUCCEEDED',
  'TASK_FAILED',
  'TASK_CANCELED',
  'TASK_OUTCOME_UNKNOWN',
] as const
export const DELIVERY_STATES = ['PENDING', 'SUCCEEDED', 'FAILED'] as const
export const DELIVERY_FAILURES = [
  'REFUSED',
  'REDIRECTED',
  'GONE',
  'TIMED_OUT',
  'UNREACHABLE',
  'ADDRESS_FORBIDDEN',
] as const
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
/** Whether money was spent. UNKNOWN means: nobody can say yet, so treat it as possible. */
export type Charged = (typeof CHARGES)[number]
/** How far a request provably got: decided to send, first byte handed to a socket, status line seen, whole body read. */
export type WirePhase = (typeof WIRE_PHASES)[number]
export type Quality = (typeof QUALITIES)[number]
export type Background = (typeof BACKGROUNDS)[number]
export type Moderation = (typeof MODERATIONS)[number]
export type OutputFormat = (typeof OUTPUT_FORMATS)[number]
export type InputFidelity = (typeof INPUT_FIDELITIES)[number]
export type Style = (typeof STYLES)[number]
export type UnsupportedPolicy = (typeof UNSUPPORTED_POLICIES)[number]
export type UnknownOutcomePolicy = (typeof UNKNOWN_OUTCOME_POLICIES)[number]
export type UsageSource = (typeof USAGE_SOURCES)[number]
export type AssetKind = (typeof ASSET_KINDS)[number]
export type WarningCode = (typeof WARNING_CODES)[number]
export type MimeType = (typeof IMAGE_MIME_TYPES)[number]
/** What a webhook tells: a task has ended so, or its outcome became unknown. */
export type WebhookEvent = (typeof WEBHOOK_EVENTS)[number]
/** PENDING is tried until it succeeds or is given up. */
export type DeliveryState = (typeof DELIVERY_STATES)[number]
/** Why one try of a delivery did not succeed. */
export type DeliveryFailure = (typeof DELIVERY_FAILURES)[number]
export type LedgerKind = (typeof LEDGER_KINDS)[number]
export type Period = (typeof PERIODS)[number]
/** What a key may do: ask for images, see tasks, see what was spent, and decide about keys and doubts. */
export type Scope = (typeof SCOPES)[number]
export type TaskErrorCode = (typeof TASK_ERROR_CODES)[number]

/** The settings of a picture: what a client may choose, and all that a provider is told about how to paint. */
export interface Settings {
  prompt: string
  /** Darkroom's model name, `gpt-image-2` by default; a provider may know it by another. */
  model: string
  /** `auto` or `WIDTHxHEIGHT` in pixels. */
  size: string
  quality: Quality
  background: Background
  moderation: Moderation
  outputFormat: OutputFormat
  /** 0 (smallest file) to 100 (best picture), JPEG and WEBP only; null leaves it to the provider. */
  outputCompression: number | null
  /** Edits only; null leaves it to the provider. */
  inputFidelity: InputFidelity | null
  /** dall-e-3 only; null leaves it to the provider. */
  style: Style | null
  /** How many pictures, 1 to 10. */
  n: number
  /** How many previews to ask for, 0 to 3; fewer may come. */
  partialImages: number
  /** The caller's own end user, for abuse control and reports. */
  user: string | null
}

/** Every setting at its default: what is painted when nothing but a prompt is given. */
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
} as const satisfies Omit<Settings, 'prompt'>

/** How carefully money is spent, at its default: warn, hold what is unknown, pay once. */
export const DEFAULT_POLICIES = { unsupported: 'WARN', onUnknownOutcome: 'HOLD', maxCharges: 1 } as const

/** An image that came in with a request: stored already, or still to be fetched before anything is sent. */
export type InputImage = { assetId: string } | { url: string }

/** What a client asked for, validated and complete. Stored with the task and never changed. */
export interface ImageRequest extends Settings {
  operation: Operation
  /** Allowed providers in order of preference; null lets the router pick among all that can. */
  providers: string[] | null
  images: InputImage[]
  mask: InputImage | null
  metadata: Record<string, string>
  unsupported: UnsupportedPolicy
  onUnknownOutcome: UnknownOutcomePolicy
  /** How many possible charges this task may ever have, 1 to 5. */
  maxCharges: number
  /** Where its end is posted to, besides the project's webhooks; null for nowhere else. */
  callbackUrl: string | null
}

/** A setting that could not be honoured as asked: named before money was spent, or at the end by what came. */
export interface Warning {
  code: WarningCode
  /** The input field, `quality` for example; null when it concerns the whole request. */
  field: string | null
  message: string
}

/** What went wrong at an upstream, fit to be shown to the client. */
export interface TaskError {
  code: TaskErrorCode
  message: string
  /** True when asking again later could end differently. */
  retryable: boolean
  charged: Charged
  /** The upstream's own id for the request, for its support desk. */
  providerRequestId: string | null
}

/** Tokens an attempt consumed. A number that nobody told us is null, never zero. */
export interface Usage {
  inputTokens: number | null
  outputTokens: number | null
  totalTokens: number | null
  inputTextTokens: number | null
  inputImageTokens: number | null
  outputTextTokens: number | null
  outputImageTokens: number | null
  source: UsageSource
}

/** What an image really is, read from its bytes. */
export interface ImageFacts {
  mimeType: MimeType
  width: number
  height: number
  byteSize: number
  hasAlpha: boolean
}

/** One immutable line in a task's log, by type. */
export type TaskEventBody =
  | { type: 'TASK_QUEUED' }
  | { type: 'ATTEMPT_STARTED'; attemptId: string }
  | { type: 'TASK_PROGRESSED'; progress: number }
  | { type: 'PARTIAL_IMAGE_RECEIVED'; assetId: string; index: number }
  | { type: 'ATTEMPT_ENDED'; attemptId: string }
  | { type: 'OUTCOME_BECAME_UNKNOWN'; attemptId: string }
  | { type: 'TASK_FINISHED'; status: TaskStatus }

/** True for the states a task never leaves. */
export function isFinished(status: TaskStatus): boolean {
  return status === 'SUCCEEDED' || status === 'FAILED' || status === 'CANCELED'
}

/** `1024x768` as numbers; undefined for `auto` and for anything that is not a size. */
export function parseSize(size: string): { width: number; height: number } | undefined {
  const match = /^([1-9]\d{0,4})x([1-9]\d{0,4})$/.exec(size)
  return match ? { width: Number(match[1]), height: Number(match[2]) } : undefined
}

/** How much a project or a key may ask for at a time; null where there is no such limit. */
export interface Limits {
  requestsPerMinute: number | null
  tasksPerMinute: number | null
  /** Tasks that are queued or running at once. */
  concurrentTasks: number | null
  uploadBytesPerMinute: number | null
}

/** On whose behalf something is done. */
export interface Caller {
  projectId: string
  /** Null for what is asked without a key, and with the operator's. */
  apiKeyId: string | null
}
