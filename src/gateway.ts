// The composition root: a configuration in, a gateway out. The binary and the tests use the same one.
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { openDirectoryStore } from './assets/directory.ts'
import { createRenditions } from './assets/renditions.ts'
import { systemClock, type Clock } from './clock.ts'
import type { Config } from './config.ts'
import { findAnyAsset } from './db/assets.ts'
import type { Database } from './db/database.ts'
import { openDatabase } from './db/open.ts'
import { DEFAULT_PROJECT, findFeedPosition } from './db/projects.ts'
import { createBreaker } from './engine/breaker.ts'
import { createEngine, type Engine } from './engine/engine.ts'
import { createPokes } from './engine/poke.ts'
import { DELIVERY_TUNING, type DeliveryTuning } from './engine/delivery-tuning.ts'
import { createApp } from './http/app.ts'
import { createAssetRoute } from './http/assets.ts'
import { createCallbackRoute } from './http/callbacks.ts'
import { createGraphQL } from './http/graphql.ts'
import { listen, type Listener } from './http/server.ts'
import { createSockets } from './http/websocket.ts'
import { newId } from './ids.ts'
import type { Logger } from './log.ts'
import { requestRule, type AddressRule } from './providers/address.ts'
import { createDownloader } from './providers/download.ts'
import { createPoster } from './providers/post.ts'
import type { Context } from './schema/context.ts'
import { createLoaders } from './schema/loaders.ts'

export interface Gateway {
  /** Answers a request without a port. Works before `start`, too: tasks are then stored and wait. */
  fetch(request: Request): Promise<Response>
  /** Begins to work and to listen. Answers where. */
  start(): Promise<{ url: string }>
  /** Drains and closes everything, once. Calls under way may go on for `deadlineMs`, the configured time by default. */
  stop(options?: { deadlineMs?: number }): Promise<void>
  /** How many viewers this process is telling about tasks. */
  watching(): number
}

export interface GatewayOptions {
  log: Logger
  clock?: Clock
  /** What the address of an input image must be like: public and https by default. */
  inputRule?: AddressRule
  /** What the address of a webhook must be like: public and https by default. */
  webhookRule?: AddressRule
  /** How patient deliveries to webhooks are; as Standard Webhooks recommends by default. */
  delivery?: DeliveryTuning
}

/** Opens the database and the asset store, and puts the parts together. Nothing runs before `start`. */
export async function createGateway(config: Config, options: GatewayOptions): Promise<Gateway> {
  const { log, clock = systemClock, inputRule = requestRule(), webhookRule = requestRule() } = options
  const pokes = createPokes(clock)
  await mkdir(config.dataDir, { recursive: true })
  const db = await openDatabase({
    databaseUrl: config.databaseUrl,
    dataDir: config.dataDir,
    onPoke: (key) => pokes.wake(key),
    log,
  })
  const store = await openDirectoryStore(join(config.dataDir, 'assets'), clock)
  const renditions = createRenditions(store, join(config.dataDir, 'renditions'))
  const downloader = createDownloader({ rule: inputRule })
  const poster = createPoster({ rule: webhookRule })
  const { providers } = config
  let listener: Listener | undefined
  let stopped: Promise<void> | undefined
  const engine = createEngine({
    db,
    store,
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
    tuning: config.engine,
    random: Math.random,
    workerId: newId('wrk', clock.now()),
  })

  const state = { draining: false }
  const context = (request: Request): Context => ({
    projectId: DEFAULT_PROJECT,
    db,
    engine,
    store,
    providers,
    clock,
    publicUrl: config.publicUrl ?? new URL(request.url).origin,
    idempotencyKey: request.headers.get('idempotency-key'),
    loaders: createLoaders(db),
  })
  const graphql = createGraphQL({ context, corsOrigins: config.corsOrigins, log })
  const sockets = createSockets(graphql, { corsOrigins: config.corsOrigins, log })
  const assets = createAssetRoute({ find: (id) => findAnyAsset(db.read, id), store, renditions, log })
  const callbacks = createCallbackRoute((secret, body) => engine.receive(secret, body))
  const app = createApp({ graphql, assets, callbacks, health: { problem: () => problem(db, state) }, log })

  return {
    fetch: app,
    watching: () => engine.watching(),
    async start() {
      await engine.start()
      listener = await listen(app, sockets, config)
      return { url: listener.url }
    },
    stop: ({ deadlineMs = config.engine.drainTimeoutMs } = {}) => (stopped ??= close(deadlineMs)),
  }

  async function close(deadlineMs: number): Promise<void> {
    state.draining = true
    await stopEngine(engine, deadlineMs, log)
    await listener?.close()
    await Promise.all([...providers.map((provider) => provider.close()), downloader.close(), poster.close()])
    await db.close()
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

async function stopEngine(engine: Engine, deadlineMs: number, log: Logger): Promise<void> {
  await engine
    .stop(deadlineMs)
    .catch((error: unknown) => log.error({ err: error }, 'the engine did not stop cleanly'))
}

async function problem(db: Database, state: { draining: boolean }): Promise<string | undefined> {
  if (state.draining) return 'shutting down'
  try {
    await findFeedPosition(db.read, DEFAULT_PROJECT)
    return undefined
  } catch {
    return 'the database does not answer'
  }
}
