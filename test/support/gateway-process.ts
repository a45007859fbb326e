import { fork } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { entryOf } from './entry.ts'
import { createClient, type Client } from './client.ts'
import type { Place } from './database.ts'
import { withCompileCache } from './compile-cache.ts'

export interface GatewayProcess extends Client {
  url: string
  pid: number
  /** Sends SIGTERM, and waits for the end. */
  stop(): Promise<void>
  /** Kills it without a shutdown. */
  kill(): Promise<void>
  /** Freezes or resumes the process. */
  signal(name: 'SIGSTOP' | 'SIGCONT' | 'SIGUSR2'): void
  /** Shifts its clock against the system's, with `canSetClock` only. */
  setClock(shiftMs: number): void
  /** Shuts it down. */
  [Symbol.asyncDispose](): Promise<void>
}

export interface GatewayProcessOptions {
  /** Entries as in a configuration file; by default a sandbox without delay. */
  providers?: Record<string, unknown>[]
  engine?: Record<string, unknown>
  /** Any other settings, as in a configuration file. */
  settings?: Record<string, unknown>
  /** A free port by default. */
  port?: number
  canSetClock?: boolean
  /** The program; by default that of this version. */
  entry?: string
  /** More environment variables. */
  env?: Record<string, string>
  /** A command that starts it, such as `ip netns exec`. */
  launcher?: string[]
}

let started = 0

/** Starts a gateway in a new process. Several may share a place on PostgreSQL. */
export async function startGateway(
  place: Place,
  options: GatewayProcessOptions = {},
): Promise<GatewayProcess> {
  const file = join(place.dataDir, `gateway-${started++}.json`)
  const settings = {
    port: options.port ?? 0,
    dataDir: place.dataDir,
    databaseUrl: place.databaseUrl,
    // Not a setting of older versions.
    ...(place.assetsUrl !== undefined && { assetsUrl: place.assetsUrl }),
    logLevel: process.env['TEST_LOG'] ?? 'silent',
    providers: options.providers ?? [{ name: 'sandbox', dialect: 'sandbox', durationMs: 0 }],
    engine: { progressIntervalMs: 0, ...options.engine },
    ...options.settings,
  }
  await writeFile(file, JSON.stringify(settings))
  const [execPath, ...command] = [...(options.launcher ?? []), process.execPath]
  const clock = options.canSetClock ? ['--import', join(import.meta.dirname, 'settable-clock.ts')] : []
  const child = fork(options.entry ?? entryOf(join(import.meta.dirname, 'gateway-child.ts')), {
    env: withCompileCache({ DARKROOM_CONFIG: file, ...options.env }),
    execPath,
    execArgv: [...command, ...clock],
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
    async stop() {
      child.kill('SIGTERM')
      await ended
    },
    async kill() {
      child.kill('SIGKILL')
      await ended
    },
    signal: (name) => void child.kill(name),
    setClock(clockShiftMs) {
      if (child.connected) child.send({ clockShiftMs })
    },
    async [Symbol.asyncDispose]() {
      // A frozen process does not notice the disconnect.
      child.kill('SIGCONT')
      if (child.connected) child.disconnect()
      await ended
    },
  }
}
