import type { Limit } from '../assets/limit.ts'
import type { AssetStore } from '../assets/store.ts'
import type { Clock } from '../clock.ts'
import type { Database } from '../db/connection/database.ts'
import type { AssetRow } from '../db/tables/tables.ts'
import type { Limits } from '../domain.ts'
import type { Logger } from '../log.ts'
import type { Metrics } from '../metrics.ts'
import type { AddressRule } from '../providers/wire/address.ts'
import type { Downloader } from '../providers/wire/download.ts'
import type { Poster } from '../providers/wire/post.ts'
import type { Provider } from '../providers/provider.ts'
import type { Tracing } from '../tracing.ts'
import type { Breaker } from './routing/breaker.ts'
import type { DeliveryTuning } from './webhooks/delivery-tuning.ts'
import type { Limiter } from './access/limiter.ts'
import type { WakeUps } from './events/wake-ups.ts'
import type { UnknownCostPolicy } from './maintenance/unknown-cost.ts'
import type { Retention } from './maintenance/retention.ts'

/** Durations in milliseconds. */
export interface Tuning {
  /** Per part of a task, charged or not. */
  maxAttempts: number
  leaseMs: number
  /** Interval of lease renewals. */
  heartbeatMs: number
  /** Interval of the search for expired leases. */
  reapMs: number
  /** How long a permitted resend waits for an answer that may be in another data folder. */
  resendGraceMs: number
  /** After a failed check; then doubled. */
  recheckMs: number
  /** Of a lost response; each from the first lookup. */
  lookupDelaysMs: readonly number[]
  /** Bounds the waits that providers ask for. */
  maxCooldownMs: number
  /** Maximum sleep without a wake-up. */
  pollMs: number
  /** Minimum time between two progress events of a task. */
  progressIntervalMs: number
}

/** Passed to every function of the engine: no globals, no singletons. */
export interface Deps {
  db: Database
  store: AssetStore
  /** Concurrent decodes: bounds memory. */
  ingestLimit: Limit
  /** For images of clients: results of paid calls do not wait for them. */
  inputLimit: Limit
  removeRenditions(sha256: string): Promise<void>
  retention: Retention
  unknownCost: UnknownCostPolicy
  /** In the operator's order of preference. */
  providers: readonly Provider[]
  wakeUps: WakeUps
  inputRule: AddressRule
  downloader: Downloader
  webhookRule: AddressRule
  poster: Poster
  delivery: DeliveryTuning
  breaker: Breaker
  limiter: Limiter
  /** Of projects without their own. */
  defaultLimits: Limits | null
  /** Without a trailing slash; undefined if the provider cannot reach this server. */
  callbackBase(provider: Provider): string | undefined
  /** Without a trailing slash; null when not configured. */
  publicUrl: string | null
  /** In webhooks; an unsigned path by default. */
  assetPath?: (asset: AssetRow) => string
  clock: Clock
  log: Logger
  metrics: Metrics
  tracing: Tracing
  tuning: Tuning
  /** 0..1, for jitter. */
  random(): number
  /** The lease owner; new at each start. */
  workerId: string
  /** Marks received-answer records. */
  databaseId: string
  /** Of the folder with the spool, shared by its processes. */
  dataFolderId: string
}

export interface ShutdownSignals {
  /** Aborts provider calls; their outcomes are recorded. */
  abortCalls: AbortSignal
  /** Aborts everything else before the process exits. */
  exit: AbortSignal
}
