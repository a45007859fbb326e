// The composition root: a configuration in, a gateway out. The binary and the tests use the same one.
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { version as nodeVersion } from 'node:process'
import manifest from '../package.json' with { type: 'json' }
import { openDirectoryStore } from './assets/directory.ts'
import { createLimit } from './assets/limit.ts'
import { createRenditions } from './assets/renditions.ts'
import { systemClock, type Clock } from './clock.ts'
import type { Config } from './config.ts'
import { findAnyAsset } from './db/assets.ts'
import { readFigures } from './db/figures.ts'
import { openDatabase } from './db/open.ts'
import { DEFAULT_PROJECT } from './db/projects.ts'
import { operatorOf } from './engine/access.ts'
import { createBreaker } from './engine/breaker.ts'
import { createEngine, type Engine } from './engine/engine.ts'
import { createPokes } from './engine/poke.ts'
import { timed } from './db/timed.ts'
import { DELIVERY_TUNING, type DeliveryTuning } from './engine/delivery-tuning.ts'
import { createApp } from './http/app.ts'
import { createAssetRoute } from './http/assets.ts'
import { createCallbackRoute } from './http/callbacks.ts'
import { createClientReader, type Client } from './http/client.ts'
import { createPage } from './http/graphiql.ts'
import { createGraphQL } from './http/graphql.ts'
import { createMetricsRoute } from './http/metrics.ts'
import { observed } from './http/observed.ts'
import { listen, type Listener } from './http/server.ts'
import { STUCK_MS } from './http/stuck.ts'
import { createSockets } from './http/websocket.ts'
import { newId } from './ids.ts'
import type { Logger } from './log.ts'
import { createMetrics, watchProcess } from './metrics.ts'
import { requestRule, type AddressRule } from './providers/address.ts'
import { createDownloader } from './providers/download.ts'
import { createPoster } from './providers/post.ts'
import type { Context } from './schema/context.ts'
import { createLoaders } from './schema/loaders.ts'
import { untraced, type Tracing } from './tracing.ts'

export interface Gateway {
  /** Answers a request without a port. Works before `start`, too: tasks are then stored and wait. */
  fetch(request: Request): Promise<Response>
  /** Begins to work and to listen. Answers where. `restored`: the database was just restored from a backup. */
  start(options?: { restored?: boolean }): Promise<{ url: string }>
  /**
   * Drains and closes everything, once. Calls under way may go on for `deadlineMs`, the configured time by default, or
   * until `hurry` aborts. Answers how many were cut then, whose outcome is unknown.
   */
  stop(options?: { deadlineMs?: number; hurry?: AbortSignal }): Promise<{ cut: number }>
  /** How many viewers this process is telling about tasks. */
  watching(): number
}

export interface GatewayOptions {
  log: Logger
  /** Where traces go; nowhere by default. Whoever opened it closes it. */
  tracing?: Tracing
  clock?: Clock
  /** What the address of an input image must be like: public and https by default. */
  inputRule?: AddressRule
  /** What the address of a webhook must be like: public and https by default. */
  webhookRule?: AddressRule
  /** How long a viewer may take in nothing of what it is sent before it is let go, in milliseconds; 24 seconds by default. */
  stuckMs?: number
  /** How patient deliveries to webhooks are; as Standard Webhooks recommends by default. */
  delivery?: DeliveryTuning
}

/** A picture of 3840x2160 takes 33 MB while it is decoded: with 4 at once, many results cost time and not memory. */
const LANDINGS = 4

/** Opens the database and the asset store, and puts the parts together. Nothing runs before `start`. */
export async function createGateway(config: Config, options: GatewayOptions): Promise<Gateway> {
  const { log, clock = systemClock, inputRule = requestRule(), webhookRule = requestRule() } = options
  const { stuckMs = STUCK_MS } = options
  const pokes = createPokes(clock)
  await mkdir(config.dataDir, { recursive: true })
  const metrics = createMetrics()
  const opened = await openDatabase({
    databaseUrl: config.databaseUrl,
    dataDir: config.dataDir,
    onPoke: (key) => pokes.wake(key),
    log,
  })
  const db = timed(opened, () => {
    const end = metrics.done.transactions.startTimer()
    return (result) => end({ result })
  })
  const tracing = { ...(options.tracing ?? untraced), upstreams: config.traceUpstreams }
  const store = await openDirectoryStore(join(config.dataDir, 'assets'), clock)
  const renditions = createRenditions(store, join(config.dataDir, 'renditions'))
  const downloader = createDownloader({ rule: inputRule })
  const poster = createPoster({ rule: webhookRule })
  const { providers } = config
  let listener: Listener | undefined
  let stopped: Promise<{ cut: number }> | undefined
  const engine = createEngine({
    db,
    store,
    landing: createLimit(LANDINGS),
    forget: (sha256) => renditions.forget(sha256),
    retention: config.retention,
    providers,
    pokes,
    inputRule,
    downloader,
    webhookRule,
    poster,
    delivery: options.delivery ?? DELIVERY_TUNING,
    publicUrl: config.publicUrl,
    breaker: createBreaker(),
    callbackBase: ({ loopback }) => config.publicUrl ?? (loopback ? listener?.url : undefined),
    clock,
    log,
    metrics,
    tracing,
    tuning: config.engine,
    random: Math.random,
    workerId: newId('wrk', clock.now()),
  })

  const context = (request: Request, client: Client): Context => ({
    caller: operatorOf(DEFAULT_PROJECT),
    projectId: DEFAULT_PROJECT,
    db,
    engine,
    store,
    providers,
    clock,
    publicUrl: config.publicUrl ?? client.origin,
    clientAddress: client.address,
    idempotencyKey: request.headers.get('idempotency-key'),
    loaders: createLoaders(db),
  })
  const readClient = createClientReader(config.trustedProxies)
  const { publicUrl, corsOrigins, introspection } = config
  const graphql = createGraphQL({ context, corsOrigins, introspection, log, metrics, tracing })
  // Asked halfway, and given the other half to answer.
  const keepAliveMs = stuckMs / 2
  const sockets = createSockets(graphql, { corsOrigins, readClient, publicUrl, clock, log, keepAliveMs })
  const assets = createAssetRoute({ find: (id) => findAnyAsset(db.read, id), store, renditions, log })
  const callbacks = createCallbackRoute((secret, body) => engine.receive(secret, body))
  const health = { problem: () => engine.problem() }
  const page = createPage()
  const scraped = config.metrics
    ? createMetricsRoute({
        metrics,
        providers: providers.map(({ name }) => name),
        read: () => readFigures(db.read),
        isOperator: () => Promise.resolve(false),
        publicUrl,
        clock,
        log,
      })
    : undefined
  metrics.build.set({ version: manifest.version, node: nodeVersion, database: db.dialect }, 1)
  const parts = { graphql, page, assets, callbacks, health, metrics: scraped, readClient, publicUrl, log }
  const app = observed(createApp(parts), { metrics, clock, log })

  return {
    fetch: (request) => app(request),
    watching: () => engine.watching(),
    async start(options) {
      if (config.metrics) watchProcess(metrics)
      await engine.start(options)
      listener = await listen(app, sockets, { ...config, stuckMs })
      return { url: listener.url }
    },
    stop: ({ deadlineMs = config.engine.drainTimeoutMs, hurry } = {}) =>
      (stopped ??= close(deadlineMs, hurry)),
  }

  async function close(deadlineMs: number, hurry?: AbortSignal): Promise<{ cut: number }> {
    const ended = await stopEngine(engine, deadlineMs, log, hurry)
    await listener?.close()
    await Promise.all([...providers.map((provider) => provider.close()), downloader.close(), poster.close()])
    await db.close()
    return ended
  }
}

/** Brings the configured database up to date, and closes it again. */
export async function migrate(config: Config, log: Logger): Promise<{ database: string }> {
  await mkdir(config.dataDir, { recursive: true })
  const db = await openDatabase({
    databaseUrl: config.databaseUrl,
    dataDir: config.dataDir,
    onPoke: () => {},
    log,
  })
  await db.close()
  return { database: db.location }
}

async function stopEngine(
  engine: Engine,
  deadlineMs: number,
  log: Logger,
  hurry?: AbortSignal,
): Promise<{ cut: number }> {
  try {
    return await engine.stop(deadlineMs, hurry)
  } catch (error) {
    log.error({ err: error }, 'the engine did not stop cleanly')
    return { cut: 0 }
  }
}

