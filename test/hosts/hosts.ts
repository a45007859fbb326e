// Hosts: processes with a data folder of their own, on one PostgreSQL and one bucket. Each is behind its own proxies, which
// can be cut without rights on the network, or, with `npm run namespaces`, in its own network namespace.
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Place } from '../support/database.ts'
import { freePort } from '../support/free-port.ts'
import { startGateway, type GatewayProcess, type GatewayProcessOptions } from '../support/gateway-process.ts'
import { S3_CREDENTIALS } from '../support/s3-server.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'
import { addressOf, openNamespace } from './namespaces.ts'

export type Network = 'database' | 'store'

export interface Host {
  place: Place
  port: number
  url: string
  /** Undefined while it is not running. */
  gateway: GatewayProcess | undefined
  start(more?: GatewayProcessOptions): Promise<GatewayProcess>
  /** With SIGTERM. */
  stop(): Promise<void>
  kill(): Promise<void>
  /** Swallows what it sends and receives. No connection ends. */
  cut(...from: Network[]): void
  /** Resets its connections to the store, and refuses new ones. In a namespace, cuts them. */
  refuseStore(): void
  heal(): void
  close(): Promise<void>
}

export interface HostsOptions {
  /** On PostgreSQL. */
  place: Place
  /** `s3://…` with an endpoint. */
  assetsUrl: string
  count: number
  options: (number: number) => GatewayProcessOptions
}

/** Starts hosts on a place whose database and bucket all of them reach. */
export async function openHosts({ place, assetsUrl, count, options }: HostsOptions): Promise<Host[]> {
  return Promise.all(
    Array.from({ length: count }, (_, number) => openHost(place, assetsUrl, number, options(number))),
  )
}

async function openHost(
  shared: Place,
  assetsUrl: string,
  number: number,
  options: GatewayProcessOptions,
): Promise<Host> {
  const store = new URL(assetsUrl)
  const endpoint = store.searchParams.get('endpoint')!
  const links = await (addressOf('database') === null ? openProxies : openLinks)(
    shared.databaseUrl!,
    endpoint,
  )
  store.searchParams.set('endpoint', links.endpoint)
  const dataDir = join(shared.dataDir, `host-${number}`)
  await mkdir(dataDir, { recursive: true })
  const place = { ...shared, dataDir, databaseUrl: links.databaseUrl, assetsUrl: store.href }
  const port = await freePort()
  await links.serve?.(port)
  const end = async (how: (gateway: GatewayProcess) => Promise<void>) => {
    const { gateway } = host
    host.gateway = undefined
    if (gateway) await how(gateway)
  }
  const host: Host = {
    place,
    port,
    url: `http://127.0.0.1:${port}`,
    gateway: undefined,
    async start(more = {}) {
      const env = { ...S3_CREDENTIALS, ...options.env, ...more.env }
      const all = { ...options, ...more, port, env, ...(links.launcher && { launcher: links.launcher }) }
      await links.reach?.(all)
      host.gateway = await startGateway(place, all)
      return host.gateway
    },
    stop: () => end((gateway) => gateway.stop()),
    kill: () => end((gateway) => gateway.kill()),
    cut: (...from) => from.forEach((network) => links.cut(network)),
    refuseStore: () => links.refuseStore(),
    heal: () => links.heal(),
    async close() {
      await end((gateway) => gateway[Symbol.asyncDispose]())
      await links.close()
    },
  }
  await host.start()
  return host
}

/** Between a host and what it needs. */
interface Links extends Pick<Host, 'refuseStore' | 'heal' | 'close'> {
  databaseUrl: string
  /** Of the store. */
  endpoint: string
  cut: (from: Network) => void
  launcher?: string[]
  /** Makes the host reachable for its clients. */
  serve?: (port: number) => Promise<void>
  /** Makes its providers reachable for the host. */
  reach?: (options: GatewayProcessOptions) => Promise<void>
}

async function openProxies(databaseUrl: string, endpoint: string): Promise<Links> {
  const proxies = { database: await startTcpProxy(databaseUrl), store: await startTcpProxy(endpoint) }
  const both = Object.values(proxies)
  return {
    databaseUrl: proxies.database.url,
    endpoint: proxies.store.url,
    cut: (from) => proxies[from].swallow(),
    refuseStore: () => proxies.store.reset(),
    heal: () => both.forEach((proxy) => proxy.heal()),
    close: async () => void (await Promise.all(both.map((proxy) => proxy.close()))),
  }
}

async function openLinks(databaseUrl: string, endpoint: string): Promise<Links> {
  const namespace = await openNamespace()
  const database = new URL(databaseUrl)
  database.hostname = addressOf('database')!
  return {
    databaseUrl: database.href,
    endpoint,
    launcher: ['ip', 'netns', 'exec', namespace.name],
    cut: (from) => namespace.cut(from),
    refuseStore: () => namespace.cut('store'),
    heal: () => namespace.heal(),
    serve: (port) => namespace.serve(port),
    async reach(options) {
      for (const [, port] of JSON.stringify(options).matchAll(/127\.0\.0\.1:(\d+)/g))
        await namespace.reach(Number(port))
    },
    async close() {
      namespace.heal()
      await namespace.close()
    },
  }
}
