// The settings of a configuration file or a program. `undefined` means the default.
import type { Charged, Quality } from '../domain.ts'
import type { Capabilities } from '../providers/provider.ts'
import type { SandboxOptions } from '../providers/sandbox/sandbox.ts'

/** Settings of a gateway. Every one has a default. Durations are in milliseconds, money in millionths of a US dollar. */
export interface GatewayConfig {
  /** Folder of the SQLite database and the images; created when missing. Default `./data`. */
  dataDir?: string | undefined
  /** A `postgres://` URL that several processes may share. Default null: SQLite in `dataDir`, for one process. */
  databaseUrl?: string | null | undefined
  /** Accounts at image APIs, in order of preference. Default: one `sandbox`, which is free. */
  providers?: readonly ProviderConfig[] | undefined
  /** The operator's key: all rights on all projects. At least 32 printable ASCII characters. Default null: none. */
  adminKey?: string | null | undefined
  /**
   * Where clients and providers reach the gateway: http or https, without query and credentials. Its path is the prefix
   * that the gateway is mounted at. Requests to other host names with a dot are refused. Default null: the address of
   * each request.
   */
  publicUrl?: string | null | undefined
  /** Port of `listen()`; 0 selects a free one. Default 4000. */
  port?: number | undefined
  /** IP address or name that `listen()` binds. Default `127.0.0.1`. */
  host?: string | undefined
  /** Default `info`. `silent` writes nothing. */
  logLevel?: 'silent' | 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | undefined
  /** Web origins whose pages may call the gateway from a browser, such as `https://app.example.com`. Default: none. */
  corsOrigins?: readonly string[] | undefined
  /** CIDR ranges of the proxies whose `X-Forwarded-…` headers are trusted. Default: none. */
  trustedProxies?: readonly string[] | undefined
  /** Whether clients may read the schema. Default `auto`: while `host` and `publicUrl` are loopback addresses. */
  introspection?: 'auto' | 'on' | 'off' | undefined
  /** Whether `/metrics` responds, for Prometheus. Default true. */
  metrics?: boolean | undefined
  /** Whether calls to providers carry the `traceparent` of their task. Default false. */
  traceUpstreams?: boolean | undefined
  /** Timing of the engine. The defaults suit providers that take 10 to 240 seconds. */
  engine?: EngineConfig | undefined
  /** How long finished records are stored. */
  retention?: RetentionConfig | undefined
  /** Limits of projects without limits of their own. */
  limits?: LimitsConfig | undefined
  /** What happens to the hold of an ended attempt whose cost stays unknown. */
  unknownCost?: UnknownCostConfig | undefined
}

export interface UnknownCostConfig {
  /** Hours, days or weeks since its end: `12h`, `7d`, `4w`. Default `7d`. */
  after?: string | undefined
  /** KEEP keeps the hold, ESTIMATE posts the likely cost, MAXIMUM the held amount. Default KEEP. */
  post?: 'KEEP' | 'ESTIMATE' | 'MAXIMUM' | undefined
}

export interface EngineConfig {
  /** Attempts per task, including the first. Default 3. */
  maxAttempts?: number | undefined
  /** How long a worker holds an attempt without a heartbeat. Default 30 000. */
  leaseMs?: number | undefined
  /** Interval of heartbeats; at most half of `leaseMs`. Default 10 000. */
  heartbeatMs?: number | undefined
  /** Interval of the search for expired leases. Default 5 000. */
  reapMs?: number | undefined
  /**
   * How long a permitted resend waits for the data folder of the process that held the attempt, which may have the answer.
   * Default 900 000.
   */
  resendGraceMs?: number | undefined
  /** When an accepted request is checked again after a failed check; doubled after each further one. Default 5 000. */
  recheckMs?: number | undefined
  /** When a request with a lost response is looked up again at the provider, counted from the first lookup. */
  lookupDelaysMs?: readonly number[] | undefined
  /** Maximum cooldown of a provider, whatever its Retry-After says. Default 300 000. */
  maxCooldownMs?: number | undefined
  /** Interval of the search for due attempts without a notification. Default 1 000. */
  pollMs?: number | undefined
  /** Minimum time between two progress events of a task. Default 500. */
  progressIntervalMs?: number | undefined
  /** How long `stop()` waits for running calls. Default 240 000. */
  drainTimeoutMs?: number | undefined
}

/** null stores records forever. */
export interface RetentionConfig {
  /** Events of a task. Default 7 days. */
  eventsMs?: number | null | undefined
  /** Partial images; at most `eventsMs`. Default 1 day. */
  partialImagesMs?: number | null | undefined
  /** Webhook deliveries. Default 30 days. */
  deliveriesMs?: number | null | undefined
  /** Callbacks of providers. Default 7 days. */
  callbacksMs?: number | null | undefined
}

/** null, the default of each, sets no limit. */
export interface LimitsConfig {
  /** GraphQL operations per minute. */
  requestsPerMinute?: number | null | undefined
  tasksPerMinute?: number | null | undefined
  /** Tasks that are queued or running. */
  concurrentTasks?: number | null | undefined
  /** Decoded bytes of uploaded images per minute. */
  uploadBytesPerMinute?: number | null | undefined
}

/** An account at an image API. Its `dialect` determines the other options. */
export type ProviderConfig =
  | OpenaiProviderConfig
  | BasicProviderConfig
  | PmockProviderConfig
  | JimmyProviderConfig
  | AcedataProviderConfig
  | SandboxProviderConfig

/** What the operator vouches for, where the evidence does not tell whether a request was charged. Default UNKNOWN. */
export interface ChargesConfig {
  /** Refused by moderation. */
  moderation?: Charged | undefined
  /** Failed at the provider, with an error or an unreadable answer. */
  failure?: Charged | undefined
  /** Sent, and not answered in time. */
  timeout?: Charged | undefined
}

interface RemoteProvider {
  /** Unique; 1 to 64 letters, digits, dots, dashes or underscores. */
  name: string
  /** Simultaneous calls. Default 256. */
  concurrency?: number | undefined
  /** Deadline of a call. Default 600 000. */
  timeoutMs?: number | undefined
  charges?: ChargesConfig | undefined
  /** How long the provider keeps results that it returns as URLs: so long are failed downloads repeated. Default 86 400 000. */
  resultTtlMs?: number | undefined
  /** Models to offer, by name or description. Default: those in the dialect's documentation. */
  models?: readonly (string | ModelConfig)[] | undefined
}

interface PollingProvider extends RemoteProvider {
  /** Interval of polling. Default 5 000. */
  pollMs?: number | undefined
  /** True when failed tasks are known never to be billed. Default false. */
  unbilledFailures?: boolean | undefined
}

/** OpenAI's Images API, and servers that are compatible with it. */
export interface OpenaiProviderConfig extends RemoteProvider {
  dialect: 'openai'
  apiKey: string
  /** Default `https://api.openai.com/v1`. */
  baseUrl?: string | undefined
  /** `pmock`: the OpenAI-compatible route of pmock. Default: none. */
  preset?: 'pmock' | undefined
  /** Spelling of the preset's fields. Default `snake`. */
  naming?: 'snake' | 'camel' | undefined
  /** Sent as `response_format`. Default: `b64_json` with the preset and for DALL·E models, else not sent. */
  responseFormat?: 'url' | 'b64_json' | undefined
  /** Reads the organization's costs for `darkroom bills fetch`. Sent to the origin of `baseUrl` only. Default none. */
  adminKey?: string | undefined
  /** Sent as `OpenAI-Organization`. */
  organization?: string | undefined
  /** Sent as `OpenAI-Project`. */
  project?: string | undefined
  /** `stream` for server-sent events with partial images, `sync` for one JSON response. Default `auto`: by request. */
  mode?: 'auto' | 'sync' | 'stream' | undefined
  /** True when the provider never bills a status of 500 or more. Default false. */
  unbilledServerErrors?: boolean | undefined
}

/** Servers that support `model`, `prompt`, `size` and `n`. */
export interface BasicProviderConfig extends RemoteProvider {
  dialect: 'basic'
  apiKey: string
  /** Ends in `/api/v1`. */
  baseUrl: string
  /** Sent for `size: auto`. Default `1024x1024`. */
  defaultSize?: string | undefined
  /** True when the provider never bills a status of 500 or more. Default false. */
  unbilledServerErrors?: boolean | undefined
}

/** pmock's asynchronous API. */
export interface PmockProviderConfig extends PollingProvider {
  dialect: 'pmock'
  accessKey: string
  /** Signs requests; needed for `auth: 'hmac'`. */
  secretKey?: string | undefined
  /** Default `https://ai.pmock.com/api/ai/openai`. */
  baseUrl?: string | undefined
  /** Default `hmac`. */
  auth?: 'hmac' | 'bearer' | undefined
  /** Prefix of the two signature headers. Default `pmock`. */
  headerPrefix?: string | undefined
  /** Path of a task below `baseUrl`, with `{id}`. Default `/tasks?taskId={id}`. */
  taskPath?: string | undefined
  /** Sent as `responseFormat`. Default `b64_json`. */
  responseFormat?: 'url' | 'b64_json' | undefined
}

/** Jimmy AI. */
export interface JimmyProviderConfig extends PollingProvider {
  dialect: 'jimmy'
  apiKey: string
  /** Default `https://www.jimmyai.cn/api/open-api/v1`. */
  baseUrl?: string | undefined
  /** `async` creates a task and polls it, `sync` waits for the response. Default `auto`: a task where it supports the request. */
  mode?: 'auto' | 'sync' | 'async' | undefined
  /** What quality AUTO is sent as. Default `low`. */
  autoQuality?: 'low' | 'medium' | 'high' | 'auto' | undefined
  /** Whether a task gets a size or an aspect ratio. Default `size`. */
  taskFields?: 'size' | 'ratio' | undefined
}

/** Ace Data Cloud. */
export interface AcedataProviderConfig extends PollingProvider {
  dialect: 'acedata'
  apiKey: string
  /** Default `https://api.acedata.cloud/openai`. */
  baseUrl?: string | undefined
  /** Interval of polling where a callback is expected. Default 30 000. */
  callbackPollMs?: number | undefined
  /** Default `auto`: a task, with a callback where the provider can reach `publicUrl`. */
  mode?: 'auto' | 'sync' | 'async' | 'callback' | undefined
  /** Default `url`. */
  responseFormat?: 'url' | 'b64_json' | undefined
}

/** Generates images in this process: no account, no network, no cost. For development and tests. */
export type SandboxProviderConfig = { name: string; dialect: 'sandbox' } & {
  readonly [Name in keyof SandboxOptions]?: SandboxOptions[Name] | undefined
}

/** A model, with its differences from the catalogue. */
export interface ModelConfig {
  /** The name that clients use. */
  name: string
  /** The name that is sent to the provider. Default: `name`. */
  upstreamModel?: string | undefined
  capabilities?: { readonly [Name in keyof Capabilities]?: Capabilities[Name] | undefined } | undefined
  /** null for an unknown price. Default: the catalogue's. */
  price?: TokenPriceConfig | ImagePriceConfig | null | undefined
}

/** Price of a million tokens of each kind. */
export interface TokenPriceConfig {
  inputTextMicros: number
  inputImageMicros?: number | null | undefined
  outputImageMicros: number
  outputTextMicros?: number | null | undefined
  /** Name of this price in the ledger. Default: derived from the amounts. */
  version?: string | undefined
}

/** Price of an image, with exceptions by settings. */
export interface ImagePriceConfig {
  imageMicros: number
  bySettings?:
    | readonly { size?: string | undefined; quality?: Quality | undefined; imageMicros: number }[]
    | undefined
  /** Name of this price in the ledger. Default: derived from the amounts. */
  version?: string | undefined
}
