// For files and programs. `undefined` means the default.
import type { Charged } from '../domain.ts'
import type { SandboxOptions } from '../providers/sandbox/sandbox.ts'
import type { ModelConfig, SvgPriceConfig } from './model-input.ts'

export type * from './model-input.ts'

/** Every setting has a default. Durations are in milliseconds, money in millionths of a US dollar. */
export interface GatewayConfig {
  /** Folder of the SQLite database and the images. Default `./data`. */
  dataDir?: string | undefined
  /** `postgres://` URL; several processes may share it. Default null: SQLite, for one process. */
  databaseUrl?: string | null | undefined
  /** `s3://bucket/prefix?region=…` for the images; several hosts may share it. Default null: `dataDir`. */
  assetsUrl?: string | null | undefined
  /** `redirect` sends browsers to presigned URLs of the bucket. Default `proxy`. */
  assetsDelivery?: 'proxy' | 'redirect' | undefined
  /** Accounts, in order of preference. Default: one `sandbox`, which is free. */
  providers?: readonly ProviderConfig[] | undefined
  /** The operator's key: all rights on all projects. At least 32 printable ASCII characters. Default null. */
  adminKey?: string | null | undefined
  /**
   * http(s) URL at which clients and providers reach the gateway; its path is the mount prefix. Requests to other host
   * names with a dot are refused. Default null: the address of each request.
   */
  publicUrl?: string | null | undefined
  /** For `listen()`; 0 selects a free one. Default 4000. */
  port?: number | undefined
  /** Address or name for `listen()`. Default `127.0.0.1`. */
  host?: string | undefined
  /** Default `info`. */
  logLevel?: 'silent' | 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | undefined
  /** Web origins that may call from a browser, such as `https://app.example.com`. Default none. */
  corsOrigins?: readonly string[] | undefined
  /** CIDR ranges whose `X-Forwarded-…` headers are trusted. Default none. */
  trustedProxies?: readonly string[] | undefined
  /** Whether clients may read the schema. Default `auto`: if `host` and `publicUrl` are loopback. */
  introspection?: 'auto' | 'on' | 'off' | undefined
  /**
   * `auto`: Apollo's automatic persisted queries. `allow-list`: only the operations of `persistedQueriesFile` run, except with
   * the operator's key. Default `off`: each request has its document.
   */
  persistedQueries?: 'off' | 'auto' | 'allow-list' | undefined
  /** JSON file: an Apollo manifest, or documents by id. Default null. */
  persistedQueriesFile?: string | null | undefined
  /** Serves `/metrics`. Default true. */
  metrics?: boolean | undefined
  /** Serves the web dashboard to browsers at `/`. Default true. */
  dashboard?: boolean | undefined
  /** Sends `traceparent` to providers. Default false. */
  traceUpstreams?: boolean | undefined
  /** Defaults suit providers that take 10 to 240 seconds. */
  engine?: EngineConfig | undefined
  /** How long finished records are stored. */
  retention?: RetentionConfig | undefined
  /** For projects without their own. */
  limits?: LimitsConfig | undefined
  /** What happens to the hold of an ended attempt with unknown cost. */
  unknownCost?: UnknownCostConfig | undefined
  /** The OpenAI-compatible API. */
  rest?: RestConfig | undefined
}

export interface RestConfig {
  /**
   * Which requests receive the result of an earlier, equal one: all that follow a result that did not arrive, retries of
   * SDKs that mark them, or only those with an idempotency key. Default `undelivered`.
   */
  attach?: 'undelivered' | 'retries' | 'never' | undefined
  /** How long a result that did not arrive is kept for a repeated request. Default 900 000. */
  undeliveredMs?: number | undefined
  /** A request waits so long for its result; it must be less than the time limit of every proxy. Default 280 000. */
  waitMs?: number | undefined
  /** Whether a client that disconnects cancels a task of which nothing was sent. Default `queued`. */
  cancelOnHangup?: 'queued' | 'never' | undefined
  /** Time for the client to return before that. Default 30 000. */
  hangupGraceMs?: number | undefined
  /** Other names of models, such as `{ 'dall-e-3': 'gpt-image-2' }`. Default none. */
  modelAliases?: Readonly<Record<string, string>> | undefined
}

export interface UnknownCostConfig {
  /** Hours, days or weeks after its end: `12h`, `7d`, `4w`. Default `7d`. */
  after?: string | undefined
  /** KEEP keeps the hold, ESTIMATE posts the likely cost, MAXIMUM the hold. Default KEEP. */
  post?: 'KEEP' | 'ESTIMATE' | 'MAXIMUM' | undefined
}

export interface EngineConfig {
  /** Per part of a task. Default 3. */
  maxAttempts?: number | undefined
  /** Lease without heartbeat. Default 30 000. */
  leaseMs?: number | undefined
  /** Interval; at most half of `leaseMs`. Default 10 000. */
  heartbeatMs?: number | undefined
  /** Interval of the search for expired leases. Default 5 000. */
  reapMs?: number | undefined
  /** A permitted resend waits so long for an answer in another data folder. Default 900 000. */
  resendGraceMs?: number | undefined
  /** Wait after a failed check of an accepted request; doubled each time, up to a minute. Default 5 000. */
  recheckMs?: number | undefined
  /** When a request with a lost response is looked up again, counted from the first lookup. */
  lookupDelaysMs?: readonly number[] | undefined
  /** Maximum cooldown, whatever Retry-After says. Default 300 000. */
  maxCooldownMs?: number | undefined
  /** Interval of the search for work without a wake-up. Default 1 000. */
  pollMs?: number | undefined
  /** Minimum time between progress events of a task. Default 500. */
  progressIntervalMs?: number | undefined
  /** A shutdown reports 503 at `/readyz` so long before it refuses requests. Default 0. */
  shutdownDelayMs?: number | undefined
  /** `stop()` waits so long for running calls. Default 240 000. */
  drainTimeoutMs?: number | undefined
}

/** null: forever. */
export interface RetentionConfig {
  /** Default null. */
  tasksMs?: number | null | undefined
  /** Default 7 days. */
  eventsMs?: number | null | undefined
  /** At most `eventsMs`. Default 1 day. */
  partialImagesMs?: number | null | undefined
  /** Default 30 days. */
  deliveriesMs?: number | null | undefined
  /** Default 7 days. */
  callbacksMs?: number | null | undefined
}

/** Default null: no limit. */
export interface LimitsConfig {
  /** GraphQL operations. */
  requestsPerMinute?: number | null | undefined
  tasksPerMinute?: number | null | undefined
  /** Queued or running. */
  concurrentTasks?: number | null | undefined
  /** Decoded bytes. */
  uploadBytesPerMinute?: number | null | undefined
}

/** `dialect` determines the other options. */
export type ProviderConfig =
  | OpenaiProviderConfig
  | BasicProviderConfig
  | PmockProviderConfig
  | JimmyProviderConfig
  | AcedataProviderConfig
  | SandboxProviderConfig

/** What the operator vouches for where evidence does not tell whether a request was charged. Default UNKNOWN. */
export interface ChargesConfig {
  /** Refused by moderation. */
  moderation?: Charged | undefined
  /** Also unreadable answers. */
  failure?: Charged | undefined
  /** Not answered in time. */
  timeout?: Charged | undefined
}

interface RemoteProvider {
  /** Unique; 1 to 64 letters, digits, dots, dashes or underscores. */
  name: string
  /** Concurrent calls. Default 256. */
  concurrency?: number | undefined
  /** Deadline of a call. Default 600 000. */
  timeoutMs?: number | undefined
  charges?: ChargesConfig | undefined
  /** How long result URLs work: failed downloads are repeated until then. Default 86 400 000. */
  resultTtlMs?: number | undefined
  /** Names of parameters that requests may set in `extra`. Default none. */
  extra?: readonly string[] | undefined
  /** Of the authors of SVGs, by name. Default none: the cost of an SVG is unknown. */
  svgPrices?: Readonly<Record<string, SvgPriceConfig>> | undefined
  /** By name or description. Default: those in the dialect's documentation. */
  models?: readonly (string | ModelConfig)[] | undefined
}

interface PollingProvider extends RemoteProvider {
  /** Default 5 000. */
  pollMs?: number | undefined
  /** Failed tasks are never billed. Default false. */
  unbilledFailures?: boolean | undefined
}

/** OpenAI's Images API and compatible servers. */
export interface OpenaiProviderConfig extends RemoteProvider {
  dialect: 'openai'
  apiKey: string
  /** Default `https://api.openai.com/v1`. */
  baseUrl?: string | undefined
  /** Deployments of Azure OpenAI, OpenRouter's Images API, or pmock's OpenAI-compatible route. Default none. */
  preset?: 'azure' | 'openrouter' | 'pmock' | undefined
  /** With `preset: azure`. Default `2025-04-01-preview`. */
  apiVersion?: string | undefined
  /** Of pmock's fields. Default `snake`. */
  naming?: 'snake' | 'camel' | undefined
  /** Default: `b64_json` for pmock and DALL·E, else not sent. */
  responseFormat?: 'url' | 'b64_json' | undefined
  /** For `darkroom bills fetch`; sent to the origin of `baseUrl` only. Default none. */
  adminKey?: string | undefined
  /** `OpenAI-Organization`. */
  organization?: string | undefined
  /** `OpenAI-Project`. */
  project?: string | undefined
  /** `stream`: server-sent events with partial images; `sync`: one JSON response. Default `auto`: by request. */
  mode?: 'auto' | 'sync' | 'stream' | undefined
  /** Statuses of 500 or more are never billed. Default false. */
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
  /** Statuses of 500 or more are never billed. Default false. */
  unbilledServerErrors?: boolean | undefined
}

/** pmock's asynchronous API. */
export interface PmockProviderConfig extends PollingProvider {
  dialect: 'pmock'
  accessKey: string
  /** For `auth: 'hmac'`. */
  secretKey?: string | undefined
  /** Default `https://ai.pmock.com/api/ai/openai`. */
  baseUrl?: string | undefined
  /** Default `hmac`. */
  auth?: 'hmac' | 'bearer' | undefined
  /** Of the two signature headers. Default `pmock`. */
  headerPrefix?: string | undefined
  /** Below `baseUrl`. Default `/tasks?taskId={id}`. */
  taskPath?: string | undefined
  /** Default `b64_json`. */
  responseFormat?: 'url' | 'b64_json' | undefined
}

export interface JimmyProviderConfig extends PollingProvider {
  dialect: 'jimmy'
  apiKey: string
  /** Default `https://www.jimmyai.cn/api/open-api/v1`. */
  baseUrl?: string | undefined
  /** `async` polls a task, `sync` waits for the response. Default `auto`: a task where possible. */
  mode?: 'auto' | 'sync' | 'async' | undefined
  /** Sent for quality AUTO. Default `low`. */
  autoQuality?: 'low' | 'medium' | 'high' | 'auto' | undefined
  /** Field of a task. Default `size`. */
  taskFields?: 'size' | 'ratio' | undefined
}

export interface AcedataProviderConfig extends PollingProvider {
  dialect: 'acedata'
  apiKey: string
  /** Default `https://api.acedata.cloud/openai`. */
  baseUrl?: string | undefined
  /** Where a callback is expected. Default 30 000. */
  callbackPollMs?: number | undefined
  /** Default `auto`: a task, with a callback if `publicUrl` is reachable. */
  mode?: 'auto' | 'sync' | 'async' | 'callback' | undefined
  /** Default `url`. */
  responseFormat?: 'url' | 'b64_json' | undefined
}

/** Generates images in this process: no account, network or cost. */
export type SandboxProviderConfig = { name: string; dialect: 'sandbox' } & {
  readonly [Name in Exclude<keyof SandboxOptions, 'models' | 'svgPrices'>]?: SandboxOptions[Name] | undefined
} & Pick<RemoteProvider, 'models' | 'svgPrices'>
