import { fork } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createClient, type Client } from './client.ts'
import type { Place } from './database.ts'

export interface GatewayProcess extends Client {
  url: string
  pid: number
  /** Ends it at once, without a goodbye, as a crash would. */
  kill(): Promise<void>
  /** Stops its clock, or lets it run again. */
  signal(name: 'SIGSTOP' | 'SIGCONT'): void
  /** Lets it stop by itself. */
  [Symbol.asyncDispose](): Promise<void>
}

export interface GatewayProcessOptions {
  /** Entries as in a configuration file; one quick sandbox by default. */
  providers?: Record<string, unknown>[]
  engine?: Record<string, unknown>
  /** Any other settings, as in a configuration file. */
  settings?: Record<string, unknown>
  /** A free one by default. */
  port?: number
}

let started = 0

/** Starts a gateway in a process of its own. Several may share a place on PostgreSQL. */
export async function startGateway(
  place: Place,
  options: GatewayProcessOptions = {},
): Promise<GatewayProcess> {
  const file = join(place.dataDir, `gateway-${started++}.json`)
  const settings = {
    port: options.port ?? 0,
    dataDir: place.dataDir,
    databaseUrl: place.databaseUrl,
    logLevel: process.env['TEST_LOG'] ?? 'silent',
    providers: options.providers ?? [{ name: 'sandbox', dialect: 'sandbox', durationMs: 0 }],
    engine: { progressIntervalMs: 0, ...options.engine },
    ...options.settings,
  }
  await writeFile(file, JSON.stringify(settings))
  const child = fork(join(import.meta.dirname, 'gateway-child.ts'), {
    env: { DARKROOM_CONFIG: file },
    execArgv: [],
  })
  const ended = once(child, 'exit')
  const url = await new Promise<string>((resolve, reject) => {
    child.once('message', (message) => resolve(typeof message === 'string' ? message : ''))
    child.once('exit', (code) =>
      reject(new Error(`The gateway ended with code ${code} instead of starting.`)),
    )
  })
  return {
    url,
    pid: child.pid!,
    ...createClient(url),
    async kill() {
      child.kill('SIGKILL')
      await ended
    },
    signal: (name) => void child.kill(name),
    async [Symbol.asyncDispose]() {
      // One that was stopped would never hear that it is to end.
      child.kill('SIGCONT')
      if (child.connected) child.disconnect()
      await ended
    },
  }
}
