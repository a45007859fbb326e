// A whole gateway for one picture: the operator's providers, but a database and assets that are gone afterwards.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLog } from '../../log.ts'
import type { Surroundings } from '../command.ts'
import { warn } from '../warn.ts'

interface DemoServer {
  url: string
  /** The names of its providers. */
  providers: readonly string[]
  /** Stops it and removes all it stored; waits up to `deadlineMs` for calls under way. */
  stop(deadlineMs: number): Promise<void>
}

/** Starts a gateway on a free loopback port. Throws ConfigError. */
export async function startServer({ env, cwd, err }: Surroundings): Promise<DemoServer> {
  // Imported late: a demo against a running server needs no gateway here, and a bad configuration none at all.
  const { loadConfig } = await import('../../config/config.ts')
  const config = await loadConfig({ env, cwd })
  for (const warning of config.warnings) warn(warning, err)
  const { createGateway } = await import('../../gateway.ts')
  const dataDir = await mkdtemp(join(tmpdir(), 'darkroom-demo-'))
  try {
    // Routine log lines would run through the picture.
    const log = createLog(env['LOG_LEVEL'] ? config.logLevel : 'error')
    const here = { port: 0, host: '127.0.0.1', publicUrl: null, databaseUrl: null, adminKey: null, dataDir }
    const gateway = await createGateway({ ...config, ...here }, { log })
    const stop = async (deadlineMs: number) => {
      await gateway.stop({ deadlineMs })
      await remove(dataDir)
    }
    const { url } = await gateway.start().catch(async (error: unknown) => {
      await gateway.stop({ deadlineMs: 0 })
      throw error
    })
    return { url, providers: config.providers.map(({ name }) => name), stop }
  } catch (error) {
    await remove(dataDir)
    throw error
  }
}

async function remove(directory: string): Promise<void> {
  await rm(directory, { recursive: true, force: true, maxRetries: 3 })
}
