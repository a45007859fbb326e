import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLog } from '../../log.ts'
import type { CommandContext } from '../command.ts'
import { loadConfig } from '../config.ts'
import { warn } from '../screen.ts'

const STOP_DEADLINE_MS = 1_000
/** Long enough to see partial images. */
const SANDBOX_MS = 250

/**
 * Starts a gateway with temporary storage on a free loopback port. `cleanup` removes both. Throws
 * ConfigError.
 */
export async function startServer(
  context: CommandContext,
  cleanup: AsyncDisposableStack,
): Promise<{ url: string; providers: string[] }> {
  const config = await loadConfig(context, { sandbox: { durationMs: SANDBOX_MS } })
  warn(config.warnings, context.err)
  const { createGateway } = await import('../../gateway.ts')
  const dataDir = await mkdtemp(join(tmpdir(), 'darkroom-demo-'))
  cleanup.defer(() => rm(dataDir, { recursive: true, force: true, maxRetries: 3 }))
  // Log lines would disturb the live view.
  const log = createLog(context.env['LOG_LEVEL'] ? config.logLevel : 'error')
  const address = { port: 0, host: '127.0.0.1', publicUrl: null }
  const settings = { ...config, ...address, databaseUrl: null, adminKey: null, dataDir }
  const gateway = await createGateway(settings, { log })
  cleanup.defer(async () => void (await gateway.stop({ deadlineMs: STOP_DEADLINE_MS })))
  const { url } = await gateway.start()
  return { url, providers: config.providers.map(({ name }) => name) }
}
