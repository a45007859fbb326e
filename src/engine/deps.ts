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

/** How patient the engine is. Every value in milliseconds unless it says otherwise. */
export interface Tuning {
  /** How many attempts one task may have, charged or not. */
  maxAttempts: number
  /** How long a claim lasts without a heartbeat. */
  leaseMs: number
  /** How often a worker renews its leases; well under `leaseMs`. */
  heartbeatMs: number
  /** How often abandoned attempts are looked for. */
  reapMs: number
  /** How long after the first look an order whose answer was lost is looked for again, once for each entry. */
  lookupDelaysMs: readonly number[]
  /** The longest time a reader or a runner sleeps without a wake-up. */
  pollMs: number
  /** The least time between two stored progress events of one task. */
  progressIntervalMs: number
}

/** What the engine's functions work with, handed to each of them: no globals, no singletons. */
export interface Deps {
  db: Database
  store: AssetStore
  /** How many images may be decoded and stored at once: bounds the memory that results take. */
  ingestLimit: Limit
  /** Removes what was made from content that is gone, such as renditions. */
  forget(sha256: string): Promise<void>
  retention: Retention
  /** In the operator's order of preference. */
  providers: readonly Provider[]
  wakeUps: WakeUps
  /** What the address of an input image must be like, and how it is fetched. */
  inputRule: AddressRule
  downloader: Downloader
  /** What the address of a webhook must be like, how it is posted to, and with what patience. */
  webhookRule: AddressRule
  poster: Poster
  delivery: DeliveryTuning
  breaker: Breaker
  limiter: Limiter
  /** Where a provider's callbacks reach us, without a slash at the end; undefined when they cannot. */
  callbackBase(provider: Provider): string | undefined
  /** Where clients reach this server, without a slash at the end; null when nobody said. */
  publicUrl: string | null
  /** The path of an image as webhooks are told it; without it, one that is not signed. */
  assetPath?: (asset: AssetRow) => string
  clock: Clock
  log: Logger
  metrics: Metrics
  tracing: Tracing
  tuning: Tuning
  /** 0..1, for jitter. */
  random(): number
  /** Names this process in leases, new at each start. */
  workerId: string
}

/** The two ends of a process: first its calls are `cut`, and once their outcomes are written down it is `over`. */
export interface ShutdownSignals {
  cut: AbortSignal
  over: AbortSignal
}
