// A process that runs one task and kills itself with SIGKILL at boundary number `killAt`; there is one between any two
// steps. It prints the name of the boundary. With a number above the last one, it ends by itself.
import { writeSync } from 'node:fs'
import { join } from 'node:path'
import { openDirectoryStore } from '../../src/assets/directory.ts'
import { readFolderId } from '../../src/assets/folder-id.ts'
import { createLimit } from '../../src/assets/limit.ts'
import type { AssetStore } from '../../src/assets/store.ts'
import { systemClock } from '../../src/clock.ts'
import type { Database } from '../../src/db/connection/database.ts'
import { getDatabaseId } from '../../src/db/maintenance/data-folders.ts'
import { openDatabase } from '../../src/db/open.ts'
import { DEFAULT_PROJECT } from '../../src/db/access/projects.ts'
import { createBreaker } from '../../src/engine/routing/breaker.ts'
import { createEngine } from '../../src/engine/engine.ts'
import { createLimiter } from '../../src/engine/access/limiter.ts'
import { createWakeUps } from '../../src/engine/events/wake-ups.ts'
import { DELIVERY_TUNING } from '../../src/engine/webhooks/delivery-tuning.ts'
import { newId } from '../../src/ids.ts'
import { createLog } from '../../src/log.ts'
import { createMetrics } from '../../src/metrics.ts'
import { requestRule } from '../../src/providers/wire/address.ts'
import { createDownloader } from '../../src/providers/wire/download.ts'
import { createPoster } from '../../src/providers/wire/post.ts'
import { noTracing } from '../../src/tracing.ts'
import { paidProvider } from './paid-upstream.ts'
import { ANONYMOUS, PLAIN } from './plain-input.ts'

const { databaseUrl, dataDir, upstream, killAt } = JSON.parse(process.argv[2]!) as {
  databaseUrl: string | null
  dataDir: string
  upstream: string
  killAt: number
}
let passed = 0

function boundary(name: string): void {
  if (++passed < killAt) return
  writeSync(1, name)
  process.kill(process.pid, 'SIGKILL')
}

function crashingDatabase(db: Database): Database {
  return {
    ...db,
    async tx(work) {
      boundary('before a transaction')
      const value = await db.tx(async (q) => {
        const inside = await work(q)
        boundary('before its commit')
        return inside
      })
      boundary('after its commit')
      return value
    },
  }
}

function crashingStore(store: AssetStore): AssetStore {
  return {
    ...store,
    async put(file) {
      boundary('before an image is stored')
      const stored = await store.put(file)
      boundary('after an image is stored')
      return stored
    },
  }
}

const wakeUps = createWakeUps(systemClock)
const log = createLog('silent')
const db = await openDatabase({ databaseUrl, dataDir, onWakeUp: (key) => wakeUps.wake(key), log })
const downloader = createDownloader({ rule: requestRule() })
const poster = createPoster({ rule: requestRule() })
const engine = createEngine({
  db: crashingDatabase(db),
  store: crashingStore(await openDirectoryStore(join(dataDir, 'assets'))),
  ingestLimit: createLimit(4),
  inputLimit: createLimit(2),
  removeRenditions: () => Promise.resolve(),
  retention: { tasksMs: null, eventsMs: null, partialImagesMs: null, deliveriesMs: null, callbacksMs: null },
  unknownCost: { post: 'KEEP', afterMs: 0 },
  providers: [paidProvider(upstream, boundary)],
  wakeUps,
  inputRule: requestRule(),
  downloader,
  webhookRule: requestRule(),
  poster,
  delivery: DELIVERY_TUNING,
  publicUrl: null,
  breaker: createBreaker(),
  limiter: createLimiter(db.counter, systemClock, null),
  defaultLimits: null,
  callbackBase: () => undefined,
  clock: systemClock,
  log,
  metrics: createMetrics(),
  tracing: noTracing,
  // No heartbeat and no reaper, so that all transactions are the task's. The short lease is for the next process.
  tuning: {
    maxAttempts: 3,
    leaseMs: 500,
    heartbeatMs: 60_000,
    reapMs: 60_000,
    resendGraceMs: 0,
    recheckMs: 5000,
    lookupDelaysMs: [],
    maxCooldownMs: 300_000,
    pollMs: 1000,
    progressIntervalMs: 0,
  },
  random: () => 0,
  workerId: newId('wrk', Date.now()),
  databaseId: await getDatabaseId(db.read),
  dataFolderId: await readFolderId(dataDir),
})
await engine.start()
const { task } = await engine.createTask(ANONYMOUS, { ...PLAIN, idempotencyKey: 'crash', partialImages: 1 })
for await (const _ of await engine.watchTask(DEFAULT_PROJECT, task.id, null));
await engine.stop(0)
await Promise.all([downloader.close(), poster.close()])
await db.close()
