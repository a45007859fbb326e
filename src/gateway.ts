import { join } from 'node:path'
import manifest from '../package.json' with { type: 'json' }
import { openAssetStore } from './assets/open.ts'
import { readFolderId } from './assets/folder-id.ts'
import { createSigner } from './assets/signature.ts'
import { assetPath, type RenditionSpec } from './assets/address.ts'
import { createLimit } from './assets/limit.ts'
import { createRenditions } from './assets/renditions.ts'
import { systemClock, type Clock } from './clock.ts'
import type { Config } from './config/config.ts'
import { makeDataDir } from './config/data-dir.ts'
import { missingKeyError } from './config/missing-key.ts'
import { readOperationList } from './config/operation-list.ts'
import { isLoopback } from './config/setting-checks.ts'
import { hasKeys } from './db/access/api-keys.ts'
import { findAnyAsset } from './db/tasks/assets.ts'
import { findDeletedImage } from './db/tasks/deleted-images.ts'
import { runForEngine } from './db/connection/priority.ts'
import { getDatabaseId } from './db/maintenance/data-folders.ts'
import { readGauges } from './db/maintenance/gauges.ts'
import { openDatabase, withTransactionTimer } from './db/open.ts'
import type { AssetRow } from './db/tables/tables.ts'
import type { Access } from './engine/access/access.ts'
import { createBreaker } from './engine/routing/breaker.ts'
import { createEngine } from './engine/engine.ts'
import { createKeyring } from './engine/access/keyring.ts'
import { ensureSigningSecret } from './engine/access/keys.ts'
import { createLimiter } from './engine/access/limiter.ts'
import { createWakeUps } from './engine/events/wake-ups.ts'
import { DELIVERY_TUNING, type DeliveryTuning } from './engine/webhooks/delivery-tuning.ts'
import { createApp } from './http/app.ts'
import { createAssetRoute } from './http/assets.ts'
import { basePathOf } from './http/base-path.ts'
import { credentialOf } from './http/security/auth.ts'
import { createCallbackRoute } from './http/callbacks.ts'
import { createDashboardRoute } from './http/dashboard.ts'
import { createClientReader, type Client } from './http/security/client.ts'
import { createFetchHandler, type FetchHandler } from './http/fetch-handler.ts'
import { createBodies } from './http/security/bodies.ts'
import { createGraphQL, createGraphQLRoute } from './http/graphql/graphql.ts'
import { createLiveHub } from './http/graphql/live/hub.ts'
import { createPersistedQueries } from './http/graphql/persisted-queries.ts'
import { createHealthRoute } from './http/health.ts'
import { createMcpRoute } from './http/mcp/route.ts'
import { createMetricsRoute } from './http/metrics.ts'
import { instrumented } from './http/instrumented.ts'
import { createNodeHandler, type NodeHandler } from './http/node-handler.ts'
import { listen, type Listener } from './http/server.ts'
import { createBodyBudget, MEMORY_LIMITS } from './http/security/body-budget.ts'
import { DEFAULT_SLOW_CLIENT_TIMEOUT_MS } from './http/security/slow-client.ts'
import { createRestRoute } from './http/rest/route.ts'
import { createUsageRoute } from './http/usage.ts'
import { createSockets, type Sockets } from './http/graphql/websocket.ts'
import { newId } from './ids.ts'
import type { Logger } from './log.ts'
import { parseDuration } from './period.ts'
import { createMetrics, collectProcessMetrics } from './metrics.ts'
import { requestRule, type AddressRule } from './providers/wire/address.ts'
import { createDownloader } from './providers/wire/download.ts'
import { createPoster } from './providers/wire/post.ts'
import { createLoaders, type Context } from './schema/context.ts'
import { noTracing, type Tracing } from './tracing.ts'

export interface Gateway {
  /** Before `work`, tasks are only stored. */
  fetch: FetchHandler['fetch']
  handle: NodeHandler['handle']
  upgrade: Sockets['upgrade']
  /** `restored`: the database was just restored from a backup. */
  work(options?: { restored?: boolean }): Promise<void>
  listen(): Promise<{ url: string; isOpen: boolean }>
  /** `work`, then `listen`. */
  start(options?: { restored?: boolean }): Promise<{ url: string; isOpen: boolean }>
  /**
   * Drains and closes everything, once. Provider calls may continue for `deadlineMs` (as configured by
   * default) or until `forceStop` aborts. Returns the number of calls aborted then, whose outcome is unknown.
   */
  stop(options?: { deadlineMs?: number; forceStop?: AbortSignal }): Promise<{ abortedCalls: number }>
  subscriberCount(): number
}

export interface GatewayOptions {
  log: Logger
  /** The caller closes it. */
  tracing?: Tracing
  clock?: Clock
  /** Accepts requests without a key while none exists; by default only if `host` is a loopback address. */
  allowAnonymous?: boolean
  /** For URLs of input images: public and https by default. */
  inputRule?: AddressRule
  /** For URLs of webhooks: public and https by default. */
  webhookRule?: AddressRule
  slowClientTimeoutMs?: number
  delivery?: DeliveryTuning
}

/** Deliveries are retried for three days; image URLs live another day. */
const WEBHOOK_URL_LIFE_MS = 4 * 86_400_000

/** Workflows download images long after a response. */
const REST_URL_LIFE_MS = 3_600_000

/** Bounds memory: decoding an image of 3840x2160 takes 33 MB. */
const MAX_INGESTIONS = 4

/** An input image of 20 MB is in memory twice while metadata is removed. */
const MAX_INPUTS = 2

/** Opens database and asset store. Nothing runs before `work`. */
export async function createGateway(config: Config, options: GatewayOptions): Promise<Gateway> {
  const { log, clock = systemClock, inputRule = requestRule(), webhookRule = requestRule() } = options
  const { slowClientTimeoutMs = DEFAULT_SLOW_CLIENT_TIMEOUT_MS } = options
  const persistedQueries = createPersistedQueries(config.persistedQueries, await readOperationList(config))
  const wakeUps = createWakeUps(clock)
  await makeDataDir(config.dataDir)
  const metrics = createMetrics()
  const opened = await openDatabase({ ...config, onWakeUp: (key) => wakeUps.wake(key), log })
  const db = withTransactionTimer(opened, () => {
    const end = metrics.transactions.startTimer()
    return (result) => end({ result })
  })
  const tracing = { ...(options.tracing ?? noTracing), propagates: config.traceUpstreams }
  const store = await openAssetStore(config, { clock, random: Math.random })
  const renditions = createRenditions(store, join(config.dataDir, 'renditions'))
  const downloader = createDownloader({ rule: inputRule })
  const poster = createPoster({ rule: webhookRule })
  const { providers, adminKey, publicUrl, corsOrigins, introspection, operatorIntrospection } = config
  const allowAnonymous = options.allowAnonymous ?? isLoopback(config.host)
  const keyring = createKeyring({ db, clock, wakeUps, log }, { adminKey, allowAnonymous })
  const signer = createSigner(await ensureSigningSecret(db), clock)
  // While no key exists, URLs need no signature.
  const pathOf = (asset: AssetRow, spec: RenditionSpec = {}, lifeMs?: number) =>
    keyring.isOpenCached() ? assetPath(asset.id, asset.mimeType, spec) : signer.sign(asset, spec, lifeMs)
  const stopping = new AbortController()
  let keyringRun = Promise.resolve()
  let listener: Listener | undefined
  let stopped: Promise<{ abortedCalls: number }> | undefined
  const engine = createEngine({
    db,
    store,
    ingestLimit: createLimit(MAX_INGESTIONS),
    inputLimit: createLimit(MAX_INPUTS),
    removeRenditions: (sha256) => renditions.remove(sha256),
    retention: config.retention,
    unknownCost: { post: config.unknownCost.post, afterMs: parseDuration(config.unknownCost.after)! },
    providers,
    wakeUps,
    inputRule,
    downloader,
    webhookRule,
    poster,
    delivery: options.delivery ?? DELIVERY_TUNING,
    publicUrl: config.publicUrl,
    assetPath: (asset) => pathOf(asset, {}, WEBHOOK_URL_LIFE_MS),
    breaker: createBreaker(),
    limiter: createLimiter(db.counter, clock, config.limits),
    defaultLimits: config.limits,
    callbackBase: ({ loopback }) => config.publicUrl ?? (loopback ? listener?.url : undefined),
    clock,
    log,
    metrics,
    tracing,
    tuning: config.engine,
    random: Math.random,
    workerId: newId('wrk', clock.now()),
    databaseId: await getDatabaseId(db.read),
    dataFolderId: await readFolderId(config.dataDir),
  })

  const server = { version: manifest.version, database: db.dialect, isOpen: keyring.isOpen }
  const context = (request: Request, client: Client, caller: Access): Context => ({
    caller,
    projectId: caller.projectId,
    db,
    engine,
    store,
    providers,
    clock,
    server,
    publicUrl: config.publicUrl ?? client.origin,
    assetPath: pathOf,
    clientAddress: client.address,
    idempotencyKey: request.headers.get('idempotency-key'),
    loaders: createLoaders(db),
  })
  const readClient = createClientReader(config.trustedProxies)
  const hub = createLiveHub({ clock, log })
  const memory = createBodyBudget(MEMORY_LIMITS, clock)
  const bodies = createBodies({ memory, store, clock, log })
  const http = { adminKey, clock, corsOrigins, keyring, log, metrics, publicUrl, readClient }
  const operations = { ...http, persistedQueries, introspection, operatorIntrospection }
  const graphql = createGraphQL({ ...operations, context, hub, bodies, tracing })
  // Half until the ping, half for the answer.
  const sockets = createSockets(graphql, { ...operations, keepAliveMs: slowClientTimeoutMs / 2 })
  const metricsRoute = createMetricsRoute({
    ...http,
    providers: providers.map(({ name }) => name),
    readGauges: () => readGauges(db.reports),
    isOperator,
  })
  const dashboardRoute = createDashboardRoute({
    ...http,
    folder: join(import.meta.dirname, '../dashboard/dist'),
    redirectsAssets: config.assetsDelivery === 'redirect',
  })
  const rest = createRestRoute({
    ...http,
    settings: config.rest,
    engine,
    db,
    store,
    providers,
    bodies,
    assetPath: (asset) => pathOf(asset, {}, REST_URL_LIFE_MS),
  })
  const routes = [
    createGraphQLRoute(graphql, http),
    ...(config.dashboard ? [dashboardRoute] : []),
    rest.route,
    createMcpRoute({ ...http, context, renditions, memory }),
    ...(config.metrics ? [metricsRoute] : []),
    createUsageRoute({ ...http, q: db.reports }),
    createAssetRoute({
      ...http,
      find: (id) => findAnyAsset(db.read, id),
      findDeleted: (id) => findDeletedImage(db.read, id),
      isOpen: keyring.isOpen,
      signer,
      store,
      renditions,
      delivery: config.assetsDelivery,
    }),
    createCallbackRoute(engine, { memory, clock }),
    createHealthRoute(() => runForEngine(() => engine.problem())),
  ]
  metrics.build.set({ version: manifest.version, database: db.dialect }, 1)
  const app = instrumented(createApp(routes, http), http)
  const basePath = basePathOf(publicUrl)
  const fetchHandler = createFetchHandler(app, basePath)
  const nodeHandler = createNodeHandler(app, basePath)

  return {
    fetch: (request, remoteAddress) => fetchHandler.fetch(request, remoteAddress),
    handle: (request, response) => nodeHandler.handle(request, response),
    upgrade: (request, socket, head) => sockets.upgrade(request, socket, head),
    subscriberCount: () => hub.viewerCount(),
    work,
    listen: openPort,
    async start(startOptions) {
      await work(startOptions)
      return openPort()
    },
    stop: ({ deadlineMs = config.engine.drainTimeoutMs, forceStop } = {}) =>
      (stopped ??= close(deadlineMs, forceStop)),
  }

  async function work(startOptions?: { restored?: boolean }): Promise<void> {
    if (!allowAnonymous && adminKey === null && !(await hasKeys(db.read)))
      throw missingKeyError(config.host, options.allowAnonymous)
    await engine.start(startOptions)
    if (config.metrics) collectProcessMetrics(metrics)
    keyringRun = keyring.run(stopping.signal)
  }

  async function openPort(): Promise<{ url: string; isOpen: boolean }> {
    const { host, port } = config
    listener = await listen(app, sockets, { host, port, basePath, slowClientTimeoutMs })
    return { url: listener.url, isOpen: await keyring.isOpen() }
  }

  async function isOperator({ headers }: Request): Promise<boolean> {
    return keyring.authenticate(credentialOf(headers)).then(
      ({ operator }) => operator,
      () => false,
    )
  }

  async function close(deadlineMs: number, forceStop?: AbortSignal): Promise<{ abortedCalls: number }> {
    engine.handOver()
    if (listener && config.engine.shutdownDelayMs) await clock.sleep(config.engine.shutdownDelayMs, forceStop)
    engine.drain()
    // Subscribers reconnect to another process while provider calls finish.
    await listener?.closeStreams()
    await sockets.close()
    fetchHandler.abortStreams()
    nodeHandler.abortStreams()
    const result = await engine.stop(deadlineMs, forceStop).catch((error: unknown) => {
      log.error({ err: error }, 'engine shutdown failed')
      return { abortedCalls: 0 }
    })
    await rest.stop()
    await listener?.close()
    await engine.calls.settled()
    stopping.abort()
    await keyringRun
    await Promise.all([...providers.map((provider) => provider.close()), downloader.close(), poster.close()])
    await Promise.all([db.close(), store.close()])
    return result
  }
}
