// The composition root: a configuration in, a gateway out. The binary and the tests use the same one.
import { join } from 'node:path'
import manifest from '../package.json' with { type: 'json' }
import { openDirectoryStore } from './assets/directory.ts'
import { createSigner } from './assets/signature.ts'
import { assetPath, type RenditionSpec } from './assets/address.ts'
import { createLimit } from './assets/limit.ts'
import { createRenditions } from './assets/renditions.ts'
import { systemClock, type Clock } from './clock.ts'
import type { Config } from './config/config.ts'
import { makeDataDir } from './config/data-dir.ts'
import { ConfigError } from './config/error.ts'
import { isLoopback } from './config/host.ts'
import { hasKeys } from './db/access/api-keys.ts'
import { findAnyAsset } from './db/tasks/assets.ts'
import type { Database } from './db/connection/database.ts'
import { readGauges } from './db/maintenance/gauges.ts'
import { openDatabase } from './db/open.ts'
import { findSecret, keepSecret } from './db/access/secrets.ts'
import type { AssetRow } from './db/tables/tables.ts'
import type { Access } from './engine/access/access.ts'
import { createBreaker } from './engine/routing/breaker.ts'
import { createEngine, type Engine } from './engine/engine.ts'
import { createKeyring } from './engine/access/keyring.ts'
import { newSigningSecret } from './engine/access/keys.ts'
import { createLimiter } from './engine/access/limiter.ts'
import { createWakeUps } from './engine/events/wake-ups.ts'
import { timed } from './db/connection/instrumented.ts'
import { DELIVERY_TUNING, type DeliveryTuning } from './engine/webhooks/delivery-tuning.ts'
import { createApp } from './http/app.ts'
import { createAssetRoute } from './http/assets.ts'
import { basePathOf } from './http/base-path.ts'
import { credentialOf } from './http/security/auth.ts'
import { createCallbackRoute } from './http/callbacks.ts'
import { createClientReader, type Client } from './http/security/client.ts'
import { createFetchHandler, type FetchHandler } from './http/fetch-handler.ts'
import { createPage } from './http/graphql/graphiql.ts'
import { createGraphQL } from './http/graphql/graphql.ts'
import { createMetricsRoute } from './http/metrics.ts'
import { observed } from './http/instrumented.ts'
import { createNodeHandler, type NodeHandler } from './http/node-handler.ts'
import { listen, type Listener } from './http/server.ts'
import { STUCK_MS } from './http/security/slow-client.ts'
import { createUsageRoute } from './http/usage.ts'
import { createSockets, type Sockets } from './http/graphql/websocket.ts'
import { newId } from './ids.ts'
import type { Logger } from './log.ts'
import { createMetrics, watchProcess } from './metrics.ts'
import { requestRule, type AddressRule } from './providers/wire/address.ts'
import { createDownloader } from './providers/wire/download.ts'
import { createPoster } from './providers/wire/post.ts'
import type { Context } from './schema/context.ts'
import { createLoaders } from './schema/loaders.ts'
import { untraced, type Tracing } from './tracing.ts'

export interface Gateway {
  /** Answers a request without a port. Works before `start`, too: tasks are then stored and wait. */
  fetch: FetchHandler['fetch']
  /** The same for a request of node:http. */
  handle: NodeHandler['handle']
  /** Takes over a connection of node:http that wants to become a WebSocket at /graphql; refuses any other. */
  upgrade: Sockets['upgrade']
  /** Begins to work, without a port. `restored`: the database was just restored from a backup. */
  work(options?: { restored?: boolean }): Promise<void>
  /** Listens on the configured port. Answers where. */
  listen(): Promise<{ url: string; isOpen: boolean }>
  /** Both: begins to work, and listens. */
  start(options?: { restored?: boolean }): Promise<{ url: string; isOpen: boolean }>
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
  /** Whether no key is needed while there is none; by default where `host` is a loopback address. */
  mayBeOpen?: boolean
  /** What the address of an input image must be like: public and https by default. */
  inputRule?: AddressRule
  /** What the address of a webhook must be like: public and https by default. */
  webhookRule?: AddressRule
  /** How long a viewer may take in nothing of what it is sent before it is let go, in milliseconds; 24 seconds by default. */
  stuckMs?: number
  /** How patient deliveries to webhooks are; as Standard Webhooks recommends by default. */
  delivery?: DeliveryTuning
}

/** A message to a webhook is tried for three days, and a day later its images can still be fetched. */
const WEBHOOK_LIFE_MS = 4 * 86_400_000

/** A picture of 3840x2160 takes 33 MB while it is decoded: with 4 at once, many results cost time and not memory. */
const MAX_INGESTIONS = 4

/** Opens the database and the asset store, and puts the parts together. Nothing runs before `start`. */
export async function createGateway(config: Config, options: GatewayOptions): Promise<Gateway> {
  const { log, clock = systemClock, inputRule = requestRule(), webhookRule = requestRule() } = options
  const { stuckMs = STUCK_MS } = options
  const wakeUps = createWakeUps(clock)
  await makeDataDir(config.dataDir)
  const metrics = createMetrics()
  const opened = await openDatabase({
    databaseUrl: config.databaseUrl,
    dataDir: config.dataDir,
    onWakeUp: (key) => wakeUps.wake(key),
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
  const { providers, adminKey } = config
  const mayBeOpen = options.mayBeOpen ?? isLoopback(config.host)
  const keyring = createKeyring({ db, clock, wakeUps, log }, { adminKey, mayBeOpen })
  const signer = createSigner(await signingSecret(db), clock)
  // While nobody needs a key, addresses need no signature either.
  const addressOf = (asset: AssetRow, spec: RenditionSpec = {}, lifeMs?: number) =>
    keyring.wasOpen() ? assetPath(asset.id, asset.mimeType, spec) : signer.sign(asset, spec, lifeMs)
  const over = new AbortController()
  let dismissing = Promise.resolve()
  let listener: Listener | undefined
  let stopped: Promise<{ cut: number }> | undefined
  const engine = createEngine({
    db,
    store,
    ingestLimit: createLimit(MAX_INGESTIONS),
    forget: (sha256) => renditions.forget(sha256),
    retention: config.retention,
    providers,
    wakeUps,
    inputRule,
    downloader,
    webhookRule,
    poster,
    delivery: options.delivery ?? DELIVERY_TUNING,
    publicUrl: config.publicUrl,
    assetPath: (asset) => addressOf(asset, {}, WEBHOOK_LIFE_MS),
    breaker: createBreaker(),
    limiter: createLimiter(db.counter, clock, config.limits),
    callbackBase: ({ loopback }) => config.publicUrl ?? (loopback ? listener?.url : undefined),
    clock,
    log,
    metrics,
    tracing,
    tuning: config.engine,
    random: Math.random,
    workerId: newId('wrk', clock.now()),
  })

  const context = (request: Request, client: Client, caller: Access): Context => ({
    caller,
    projectId: caller.projectId,
    db,
    engine,
    store,
    providers,
    clock,
    publicUrl: config.publicUrl ?? client.origin,
    assetPath: addressOf,
    clientAddress: client.address,
    idempotencyKey: request.headers.get('idempotency-key'),
    loaders: createLoaders(db),
  })
  const readClient = createClientReader(config.trustedProxies)
  const { publicUrl, corsOrigins, introspection } = config
  const graphql = createGraphQL({ context, keyring, corsOrigins, introspection, log, metrics, tracing })
  // Asked halfway, and given the other half to answer.
  const keepAliveMs = stuckMs / 2
  const aboutSockets = { corsOrigins, keyring, adminKey, readClient, publicUrl, clock, log, keepAliveMs }
  const sockets = createSockets(graphql, aboutSockets)
  const find = (id: string) => findAnyAsset(db.read, id)
  const assets = createAssetRoute({
    find,
    isOpen: () => keyring.isOpen(),
    signer,
    store,
    renditions,
    clock,
    log,
  })
  const callbacks = createCallbackRoute(engine)
  const usage = createUsageRoute({ q: db.read, clock, admit: keyring.admit })
  const health = { problem: () => engine.problem() }
  const page = createPage()
  const scraped = config.metrics
    ? createMetricsRoute({
        metrics,
        providers: providers.map(({ name }) => name),
        read: () => readGauges(db.read),
        isOperator: ({ headers }) => isOperator((name) => headers.get(name)),
        publicUrl,
        clock,
        log,
      })
    : undefined
  metrics.build.set({ version: manifest.version, database: db.dialect }, 1)
  const about = { readClient, publicUrl, adminKey, log }
  const parts = { graphql, page, assets, callbacks, usage, health, metrics: scraped, ...about }
  const app = observed(createApp(parts), { metrics, clock, log })
  const basePath = basePathOf(publicUrl)
  const mounted = { fetch: createFetchHandler(app, basePath), node: createNodeHandler(app, basePath) }

  return {
    fetch: (request, remoteAddress) => mounted.fetch.fetch(request, remoteAddress),
    handle: (request, response) => mounted.node.handle(request, response),
    upgrade: (request, socket, head) => sockets.upgrade(request, socket, head),
    watching: () => engine.watching(),
    work,
    listen: openPort,
    async start(how) {
      await work(how)
      return openPort()
    },
    stop: ({ deadlineMs = config.engine.drainTimeoutMs, hurry } = {}) =>
      (stopped ??= close(deadlineMs, hurry)),
  }

  async function work(how?: { restored?: boolean }): Promise<void> {
    if (!mayBeOpen && adminKey === null && !(await hasKeys(db.read))) throw nobodyMayAsk(config, options)
    await engine.start(how)
    if (config.metrics) watchProcess(metrics)
    dismissing = keyring.run(over.signal)
  }

  async function openPort(): Promise<{ url: string; isOpen: boolean }> {
    listener = await listen(app, sockets, { ...config, basePath, stuckMs })
    return { url: listener.url, isOpen: await keyring.isOpen() }
  }

  async function isOperator(header: (name: string) => string | null): Promise<boolean> {
    return keyring.admit(credentialOf(header)).then(
      ({ operator }) => operator,
      () => false,
    )
  }

  async function close(deadlineMs: number, hurry?: AbortSignal): Promise<{ cut: number }> {
    engine.drain()
    // Viewers need not wait for the calls that do: they go on at another process, or at the next.
    await listener?.dismiss()
    await sockets.close()
    mounted.fetch.cutStreams()
    mounted.node.cutStreams()
    const ended = await stopEngine(engine, deadlineMs, log, hurry)
    await listener?.close()
    over.abort()
    await dismissing
    await Promise.all([...providers.map((provider) => provider.close()), downloader.close(), poster.close()])
    await db.close()
    return ended
  }
}

/** What addresses of images are signed with, the same for every process. */
async function signingSecret(db: Database): Promise<string> {
  const known = await findSecret(db.read, 'asset-addresses')
  return known ?? db.tx((q) => keepSecret(q, 'asset-addresses', newSigningSecret()))
}

function nobodyMayAsk({ host }: Config, { mayBeOpen }: GatewayOptions): ConfigError {
  if (mayBeOpen !== undefined)
    return new ConfigError([
      'adminKey is not set, and the database holds no API key: no request could be authorized. Set adminKey, create a ' +
        'key with `darkroom keys create`, or set allowAnonymous where only trusted clients can connect.',
    ])
  return new ConfigError([
    `HOST is "${host}", where others can connect, and there is neither an API key nor DARKROOM_ADMIN_KEY to tell who may. ` +
      'Make a key with `darkroom keys create`, set DARKROOM_ADMIN_KEY, or listen on 127.0.0.1.',
  ])
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
