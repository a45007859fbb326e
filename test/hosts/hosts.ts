// Hosts: processes with a data folder of their own, on one PostgreSQL and one bucket, each behind its own proxies, which can
// be cut without rights on the network.
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Place } from '../support/database.ts'
import { freePort } from '../support/free-port.ts'
import { startGateway, type GatewayProcess, type GatewayProcessOptions } from '../support/gateway-process.ts'
import { S3_CREDENTIALS } from '../support/s3-server.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'

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
  /** Resets its connections to the store, and refuses new ones. */
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
  const proxies = {
    database: await startTcpProxy(shared.databaseUrl!),
    store: await startTcpProxy(store.searchParams.get('endpoint')!),
  }
  store.searchParams.set('endpoint', proxies.store.url)
  const dataDir = join(shared.dataDir, `host-${number}`)
  await mkdir(dataDir, { recursive: true })
  const place = { ...shared, dataDir, databaseUrl: proxies.database.url, assetsUrl: store.href }
  const port = await freePort()
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
      host.gateway = await startGateway(place, { ...options, ...more, port, env })
      return host.gateway
    },
    stop: () => end((gateway) => gateway.stop()),
    kill: () => end((gateway) => gateway.kill()),
    cut: (...from) => from.forEach((network) => proxies[network].swallow()),
    refuseStore: () => proxies.store.reset(),
    heal: () => Object.values(proxies).forEach((proxy) => proxy.heal()),
    async close() {
      await end((gateway) => gateway[Symbol.asyncDispose]())
      await Promise.all(Object.values(proxies).map((proxy) => proxy.close()))
    },
  }
  await host.start()
  return host
}
