import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLog } from '../../log.ts'
import type { CommandContext } from '../command.ts'
import { loadConfig } from '../config.ts'
import { warn } from '../screen.ts'

export interface DemoServer {
  url: string
  providers: readonly string[]
  /** Deletes everything that it stored. Waits up to `deadlineMs` for running calls. */
  stop(deadlineMs: number): Promise<void>
}

/** Starts a gateway with the configured providers and temporary storage on a free loopback port. Throws ConfigError. */
export async function startServer(context: CommandContext): Promise<DemoServer> {
  const config = await loadConfig(context)
  warn(config.warnings, context.err)
  const { createGateway } = await import('../../gateway.ts')
  const dataDir = await mkdtemp(join(tmpdir(), 'darkroom-demo-'))
  try {
    // Log lines would disturb the live view.
    const log = createLog(context.env['LOG_LEVEL'] ? config.logLevel : 'error')
    const overrides = {
      port: 0,
      host: '127.0.0.1',
      publicUrl: null,
      databaseUrl: null,
      adminKey: null,
      dataDir,
    }
    const gateway = await createGateway({ ...config, ...overrides }, { log })
    const { url } = await gateway.start().catch(async (error: unknown) => {
      await gateway.stop({ deadlineMs: 0 })
      throw error
    })
    return {
      url,
      providers: config.providers.map(({ name }) => name),
      async stop(deadlineMs) {
        await gateway.stop({ deadlineMs })
        await remove(dataDir)
      },
    }
  } catch (error) {
    await remove(dataDir)
    throw error
  }
}

async function remove(directory: string): Promise<void> {
  await rm(directory, { recursive: true, force: true, maxRetries: 3 })
}
