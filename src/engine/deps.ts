import type { Limit } from '../assets/limit.ts'
import type { AssetStore } from '../assets/store.ts'
import type { Clock } from '../clock.ts'
import type { Database } from '../db/connection/database.ts'
import type { AssetRow } from '../db/tables/tables.ts'
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
import type { Retention } from './maintenance/retention.ts'

/** Durations in milliseconds. */
export interface Tuning {
  /** Maximum of attempts per task, charged or not. */
  maxAttempts: number
  /** How long a lease lasts without a heartbeat. */
  leaseMs: number
  /** Interval of lease renewals; well under `leaseMs`. */
  heartbeatMs: number
  /** Interval of the search for expired leases. */
  reapMs: number
  /** Delays of the lookups of a lost response, each from the first lookup. */
  lookupDelaysMs: readonly number[]
  /** Maximum time without a wake-up before a reader or runner reads again. */
  pollMs: number
  /** Minimum time between two progress events of a task. */
  progressIntervalMs: number
}

/** Everything the engine's functions use, passed to each of them: no globals, no singletons. */
export interface Deps {
  db: Database
  store: AssetStore
  /** Bounds the memory for results: how many images are decoded and stored concurrently. */
  ingestLimit: Limit
  /** Deletes the renditions of deleted content. */
  removeRenditions(sha256: string): Promise<void>
  retention: Retention
  /** In the operator's order of preference. */
  providers: readonly Provider[]
  wakeUps: WakeUps
  /** Restricts the URLs of input images. */
  inputRule: AddressRule
  downloader: Downloader
  /** Restricts the URLs of webhooks. */
  webhookRule: AddressRule
  poster: Poster
  delivery: DeliveryTuning
  breaker: Breaker
  limiter: Limiter
  /** The base URL of a provider's callbacks, without a trailing slash; undefined when it cannot reach this server. */
  callbackBase(provider: Provider): string | undefined
  /** The base URL for clients, without a trailing slash; null when not configured. */
  publicUrl: string | null
  /** The path of an image in webhooks. By default an unsigned path. */
  assetPath?: (asset: AssetRow) => string
  clock: Clock
  log: Logger
  metrics: Metrics
  tracing: Tracing
  tuning: Tuning
  /** 0..1, for jitter. */
  random(): number
  /** Names this process in leases; new at each start. */
  workerId: string
}

/** The two phases of a shutdown. */
export interface ShutdownSignals {
  /** Aborts provider calls; their outcomes are then recorded. */
  abortCalls: AbortSignal
  /** Aborts everything else. The process then exits. */
  exit: AbortSignal
}
