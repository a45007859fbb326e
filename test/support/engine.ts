// The engine on a real database and a real store, with the test's providers. Closing it checks the invariants.
import { join } from 'node:path'
import { expect } from 'vitest'
import { openDirectoryStore } from '../../src/assets/directory.ts'
import { readFolderId } from '../../src/assets/folder-id.ts'
import { createLimit } from '../../src/assets/limit.ts'
import type { AssetStore } from '../../src/assets/store.ts'
import { systemClock } from '../../src/clock.ts'
import { listAttempts } from '../../src/db/attempts/attempts.ts'
import type { Database } from '../../src/db/connection/database.ts'
import { getDatabaseId } from '../../src/db/maintenance/data-folders.ts'
import { listEvents } from '../../src/db/tasks/events.ts'
import { openDatabase } from '../../src/db/open.ts'
import type { AttemptRow, EventRow, TaskRow } from '../../src/db/tables/tables.ts'
import { getTask } from '../../src/db/tasks/tasks.ts'
import type { Limits, TaskStatus } from '../../src/domain.ts'
import { createBreaker } from '../../src/engine/routing/breaker.ts'
import type { Deps, Tuning } from '../../src/engine/deps.ts'
import { createEngine, type Engine } from '../../src/engine/engine.ts'
import type { TaskInput } from '../../src/engine/tasks/input.ts'
import { createLimiter } from '../../src/engine/access/limiter.ts'
import { createWakeUps } from '../../src/engine/events/wake-ups.ts'
import { DELIVERY_TUNING, type DeliveryTuning } from '../../src/engine/webhooks/delivery-tuning.ts'
import type { Retention } from '../../src/engine/maintenance/retention.ts'
import { newId } from '../../src/ids.ts'
import { createLog } from '../../src/log.ts'
import { createMetrics } from '../../src/metrics.ts'
import { requestRule, type AddressRule } from '../../src/providers/wire/address.ts'
import { createDownloader } from '../../src/providers/wire/download.ts'
import { createPoster } from '../../src/providers/wire/post.ts'
import type { Provider } from '../../src/providers/provider.ts'
import { noTracing } from '../../src/tracing.ts'
import { newPlace, type DatabaseKind, type Place } from './database.ts'
import { checkInvariants } from './invariants.ts'
import { ANONYMOUS, PLAIN } from './plain-input.ts'

export interface TestEngine {
  engine: Engine
  db: Database
  store: AssetStore
  deps: Deps
  place: Place
  create(input?: Partial<TaskInput>): Promise<TaskRow>
  task(id: string): Promise<TaskRow>
  attempts(id: string): Promise<AttemptRow[]>
  events(id: string): Promise<EventRow[]>
  /** Waits for a status, and returns the task. */
  reached(id: string, status: TaskStatus): Promise<TaskRow>
  /** Stops it and closes its database. Throws when an invariant is violated. */
  close(options?: { deadlineMs?: number }): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

export interface TestEngineOptions {
  database?: DatabaseKind
  /** Shared with another engine, at the same time or later. Not removed on disposal. */
  place?: Place
  providers: readonly Provider[]
  tuning?: Partial<Tuning>
  inputRule?: AddressRule
  webhookRule?: AddressRule
  delivery?: Partial<DeliveryTuning>
  retention?: Retention
  /** Of projects without limits of their own; none by default. */
  limits?: Limits
  /** True by default. */
  start?: boolean
  /** Replaces dependencies of the engine. */
  wrap?: (deps: Deps) => Deps
}

const TUNING: Tuning = {
  maxAttempts: 3,
  leaseMs: 30_000,
  heartbeatMs: 10_000,
  reapMs: 5000,
  resendGraceMs: 900_000,
  recheckMs: 5000,
  lookupDelaysMs: [5000],
  maxCooldownMs: 300_000,
  pollMs: 1000,
  progressIntervalMs: 0,
}

const [HOUR, DAY] = [3_600_000, 86_400_000]
/** The defaults of the configuration. */
const RETENTION: Retention = {
  tasksMs: null,
  eventsMs: 7 * DAY,
  partialImagesMs: 24 * HOUR,
  deliveriesMs: 30 * DAY,
  callbacksMs: 7 * DAY,
}

export async function openEngine(options: TestEngineOptions): Promise<TestEngine> {
  const place = options.place ?? (await newPlace(options.database ?? 'sqlite'))
  const { deps, db, store } = await openDeps(place, options)
  const engine = createEngine(deps)
  if (options.start ?? true) await engine.start()
  let closed: Promise<void> | undefined

  async function close({ deadlineMs = 0 } = {}): Promise<void> {
    await engine.stop(deadlineMs)
    const violated = await checkInvariants(place, store)
    await Promise.all([deps.downloader.close(), deps.poster.close()])
    await db.close()
    expect(violated).toEqual([])
  }

  return {
    engine,
    db,
    store,
    deps,
    place,
    create: async (input = {}) => (await engine.createTask(ANONYMOUS, { ...PLAIN, ...input })).task,
    task: (id) => getTask(db.read, id),
    attempts: (id) => listAttempts(db.read, [id]),
    events: (id) => listEvents(db.read, id, 0, 1000),
    async reached(id, status) {
      await expect.poll(async () => (await getTask(db.read, id)).status, { interval: 10 }).toBe(status)
      return getTask(db.read, id)
    },
    close: (how) => (closed ??= close(how)),
    async [Symbol.asyncDispose]() {
      try {
        await (closed ??= close())
      } finally {
        if (!options.place) await place.remove()
      }
    },
  }
}

async function openDeps(place: Place, options: TestEngineOptions) {
  const { providers, tuning, wrap, delivery } = options
  const { inputRule = requestRule(), webhookRule = requestRule() } = options
  const log = createLog(process.env['TEST_LOG'] ?? 'silent')
  const wakeUps = createWakeUps(systemClock)
  const db = await openDatabase({ ...place, onWakeUp: (key) => wakeUps.wake(key), log })
  const store = await openDirectoryStore(join(place.dataDir, 'assets'))
  const plain: Deps = {
    db,
    store,
    ingestLimit: createLimit(4),
    inputLimit: createLimit(2),
    removeRenditions: () => Promise.resolve(),
    retention: options.retention ?? RETENTION,
    unknownCost: { post: 'KEEP', afterMs: 7 * DAY },
    providers,
    wakeUps,
    inputRule,
    downloader: createDownloader({ rule: inputRule }),
    webhookRule,
    poster: createPoster({ rule: webhookRule }),
    delivery: { ...DELIVERY_TUNING, ...delivery },
    publicUrl: null,
    breaker: createBreaker(),
    limiter: createLimiter(db.counter, systemClock, options.limits ?? null),
    defaultLimits: options.limits ?? null,
    callbackBase: () => undefined,
    clock: systemClock,
    log,
    metrics: createMetrics(),
    tracing: noTracing,
    tuning: { ...TUNING, ...tuning },
    // No jitter, and no wait before another try.
    random: () => 0,
    workerId: newId('wrk', Date.now()),
    databaseId: await getDatabaseId(db.read),
    dataFolderId: await readFolderId(place.dataDir),
  }
  return { deps: wrap ? wrap(plain) : plain, db, store }
}
