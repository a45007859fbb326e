import type { Config } from '../../config/config.ts'
import { ConfigError } from '../../config/error.ts'
import type { Gateway } from '../../gateway.ts'
import { urlOfServer } from '../admin-client.ts'
import type { CommandContext } from '../command.ts'
import { closeProviders, loadConfig } from '../config.ts'
import { warn } from '../screen.ts'
import { startGateway } from '../serve.ts'
import type { BridgeTarget } from './send-request.ts'

export interface Connector {
  /**
   * The server at the given URL; else one in this process; else the one that uses the data folder. Call it
   * again after a refused connection: a server in another host's process ends with that host. Throws
   * ConfigError.
   */
  connect: () => Promise<BridgeTarget>
  /** Stops a server in this process. Resolves to the number of aborted calls. */
  close(forceStop: AbortSignal): Promise<number>
}

export function createConnector(
  context: CommandContext,
  { url, dataDir }: { url: string | undefined; dataDir: string | undefined },
): Connector {
  const key = context.env['DARKROOM_API_KEY'] ?? null
  let own: { stop: Gateway['stop']; config: Config; target: BridgeTarget } | undefined
  let starting: Promise<BridgeTarget> | undefined

  async function start(): Promise<BridgeTarget> {
    const config = await loadConfig(context, { flags: { ...(dataDir !== undefined && { dataDir }) } })
    warn(config.warnings, context.err)
    try {
      const started = await listen(config)
      own = { stop: started.stop, config, target: { url: started.url, key: key ?? config.adminKey } }
      return own.target
    } catch (error) {
      await closeProviders(config)
      if (!(error instanceof Error) || error.name !== 'FolderInUse') throw error
      return { url: await urlOfServer(config, error), key: key ?? config.adminKey }
    }
  }

  async function listen(config: Config) {
    try {
      return await startGateway(config, context, { restored: false })
    } catch (error) {
      if (!isPortInUse(error)) throw error
      // Processes on PostgreSQL need not find each other.
      if (config.databaseUrl !== null)
        return startGateway({ ...config, port: 0 }, context, { restored: false })
      throw new ConfigError([
        `Port ${config.port} is in use by another program. Set PORT to a free one, or set DARKROOM_URL to use the server there.`,
      ])
    }
  }

  return {
    async connect() {
      if (url !== undefined) return { url, key }
      if (own) return own.target
      return (starting ??= start().finally(() => (starting = undefined)))
    },
    async close(forceStop) {
      if (!own) return 0
      const { abortedCalls } = await own.stop({ deadlineMs: own.config.engine.drainTimeoutMs, forceStop })
      return abortedCalls
    },
  }
}

function isPortInUse(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'
}
