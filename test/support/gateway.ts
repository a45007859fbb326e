import { randomUUID } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../../src/clock.ts'
import { loadConfig } from '../../src/config/config.ts'
import type { DeliveryTuning } from '../../src/engine/webhooks/delivery-tuning.ts'
import { createGateway, type Gateway } from '../../src/gateway.ts'
import { createLog, type Logger } from '../../src/log.ts'
import type { AddressRule } from '../../src/providers/wire/address.ts'
import { createClient, type Client } from './client.ts'
import { newPlace, type DatabaseKind, type Place } from './database.ts'

export interface TestGateway extends Client {
  url: string
  place: Place
  gateway: Gateway
  /** Stops it and removes its data. */
  [Symbol.asyncDispose](): Promise<void>
}

export interface TestGatewayOptions {
  database?: DatabaseKind
  /** Shared with another gateway, at the same time or later. Not removed on disposal. */
  place?: Place
  /** Entries as in a configuration file; by default a sandbox without delay. */
  providers?: Record<string, unknown>[]
  engine?: Record<string, unknown>
  inputRule?: AddressRule
  webhookRule?: AddressRule
  delivery?: DeliveryTuning
  slowClientTimeoutMs?: number
  corsOrigins?: string[]
  /** Any other settings, as in a configuration file. */
  settings?: Record<string, unknown>
  log?: Logger
  clock?: Clock
}

/** A gateway on a free port, composed as by `darkroom serve`. */
export async function openGateway(options: TestGatewayOptions = {}): Promise<TestGateway> {
  const place = options.place ?? (await newPlace(options.database ?? 'sqlite'))
  const config = await loadConfig({ env: {}, cwd: await writeConfig(place, options) })
  const gateway = await createGateway(config, {
    log: options.log ?? createLog(process.env['TEST_LOG'] ?? 'silent'),
    ...(options.clock && { clock: options.clock }),
    ...(options.inputRule ? { inputRule: options.inputRule } : {}),
    ...(options.webhookRule ? { webhookRule: options.webhookRule } : {}),
    ...(options.delivery ? { delivery: options.delivery } : {}),
    ...(options.slowClientTimeoutMs === undefined
      ? {}
      : { slowClientTimeoutMs: options.slowClientTimeoutMs }),
  })
  const { url } = await gateway.start()
  return {
    url,
    place,
    gateway,
    ...createClient(url),
    async [Symbol.asyncDispose]() {
      await gateway.stop({ deadlineMs: 0 })
      if (!options.place) await place.remove()
    },
  }
}

/** Writes the configuration file in a new folder, which it returns. */
async function writeConfig(place: Place, options: TestGatewayOptions): Promise<string> {
  const { providers = [{ name: 'sandbox', dialect: 'sandbox', durationMs: 0 }] } = options
  const folder = join(place.dataDir, `config-${randomUUID()}`)
  await mkdir(folder)
  const config = {
    port: 0,
    dataDir: place.dataDir,
    databaseUrl: place.databaseUrl,
    providers,
    corsOrigins: options.corsOrigins ?? [],
    engine: { progressIntervalMs: 0, ...options.engine },
    ...options.settings,
  }
  await writeFile(join(folder, 'darkroom.config.json'), JSON.stringify(config))
  return folder
}
