// A process that finishes one task, posts to its callback address, and kills itself before it can record the post.
import { join } from 'node:path'
import { z } from 'zod'
import { openDirectoryStore } from '../../src/assets/directory.ts'
import { readFolderId } from '../../src/assets/folder-id.ts'
import { createLimit } from '../../src/assets/limit.ts'
import { systemClock } from '../../src/clock.ts'
import { getDatabaseId } from '../../src/db/maintenance/data-folders.ts'
import { openDatabase } from '../../src/db/open.ts'
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
import { ANONYMOUS, PLAIN } from './plain-input.ts'
import { done, scripted } from './scripted.ts'

const SETTINGS = z.object({
  databaseUrl: z.string().nullable(),
  dataDir: z.string(),
  callbackUrl: z.string(),
})
const { databaseUrl, dataDir, callbackUrl } = SETTINGS.parse(JSON.parse(process.argv[2] ?? ''))

const webhookRule = { ...requestRule(['http:']), ports: null, isPublic: () => true }
const poster = createPoster({ rule: webhookRule })
const wakeUps = createWakeUps(systemClock)
const log = createLog('silent')
const db = await openDatabase({ databaseUrl, dataDir, onWakeUp: (key) => wakeUps.wake(key), log })
const engine = createEngine({
  db,
  store: await openDirectoryStore(join(dataDir, 'assets')),
  ingestLimit: createLimit(4),
  inputLimit: createLimit(2),
  removeRenditions: () => Promise.resolve(),
  retention: { tasksMs: null, eventsMs: null, partialImagesMs: null, deliveriesMs: null, callbacksMs: null },
  unknownCost: { post: 'KEEP', afterMs: 0 },
  providers: [scripted((sent) => done(sent))],
  wakeUps,
  inputRule: requestRule(),
  downloader: createDownloader({ rule: requestRule() }),
  webhookRule,
  poster: {
    ...poster,
    async post(url, message, signal) {
      const answer = await poster.post(url, message, signal)
      process.kill(process.pid, 'SIGKILL')
      return answer
    },
  },
  // Short, for the next process.
  delivery: { ...DELIVERY_TUNING, leaseMs: 500 },
  publicUrl: null,
  breaker: createBreaker(),
  limiter: createLimiter(db.counter, systemClock, null),
  defaultLimits: null,
  callbackBase: () => undefined,
  clock: systemClock,
  log,
  metrics: createMetrics(),
  tracing: noTracing,
  tuning: {
    maxAttempts: 3,
    leaseMs: 30_000,
    heartbeatMs: 10_000,
    reapMs: 5000,
    resendGraceMs: 0,
    recheckMs: 5000,
    lookupDelaysMs: [],
    maxCooldownMs: 300_000,
    pollMs: 100,
    progressIntervalMs: 0,
  },
  random: () => 0,
  workerId: newId('wrk', systemClock.now()),
  databaseId: await getDatabaseId(db.read),
  dataFolderId: await readFolderId(dataDir),
})
await engine.start()
await engine.createTask(ANONYMOUS, { ...PLAIN, callbackUrl })
