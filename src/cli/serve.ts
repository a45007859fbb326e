import process from 'node:process'
import manifest from '../../package.json' with { type: 'json' }
import { systemClock } from '../clock.ts'
import type { Config } from '../config/config.ts'
import type { Environment } from '../config/environment.ts'
import type { Gateway } from '../gateway.ts'
import { createLog } from '../log.ts'
import { EXIT, type Arguments, type Command, type CommandContext } from './command.ts'
import { loadConfig } from './config.ts'
import { warn } from './screen.ts'
import { banner } from './serve/banner.ts'
import { watchSignals } from './signals.ts'

export const serve: Command = {
  name: 'serve',
  summary: 'Run the server',
  usage: '[options]',
  options: {
    '--port <number>': 'Port to listen on; 0 selects a free one (default: 4000)',
    '--host <address>': 'Address to listen on (default: 127.0.0.1). API keys are required on others',
    '--data-dir <path>': 'Folder of the SQLite database and the images (default: ./data)',
    '--after-restore': 'After a restore: tasks that may have been sent are marked for review',
  },
  notes: {
    Environment: {
      'PORT, HOST, DATA_DIR': 'As the options, which override them',
      PUBLIC_URL: 'URL at which clients reach the server, if it differs',
      DARKROOM_ADMIN_KEY: 'Operator key with all rights; at least 32 characters',
      DATABASE_URL: 'postgres://… (default: SQLite in the data folder)',
      ASSETS_URL: 's3://bucket/prefix?region=… (default: images in the data folder)',
      ASSETS_DELIVERY: 'proxy (default), or redirect: presigned URLs of the bucket',
      CORS_ORIGINS: 'Web origins whose pages may call the server, separated by commas',
      TRUSTED_PROXIES: 'CIDR ranges of proxies whose X-Forwarded-… headers are trusted',
      INTROSPECTION: 'on, off or auto (default): on a network, operators only',
      PERSISTED_QUERIES: 'off (default), auto or allow-list',
      PERSISTED_QUERIES_FILE: 'JSON file with the operations of the allow-list',
      LOG_LEVEL: 'silent, fatal, error, warn, info (default), debug or trace',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'OpenTelemetry collector for traces (default: no traces)',
      DARKROOM_CONFIG: 'Configuration file (default: ./darkroom.config.{ts,js,json})',
    },
    'Providers in the environment': {
      OPENAI_API_KEY: 'Enables `openai`; optionally OPENAI_BASE_URL',
      BASIC_API_KEY: 'Enables `basic`; requires BASIC_BASE_URL',
      PMOCK_ACCESS_KEY: 'Enables `pmock`; requires PMOCK_SECRET_KEY, optionally PMOCK_BASE_URL',
      JIMMY_API_KEY: 'Enables `jimmy`; optionally JIMMY_BASE_URL',
      ACEDATA_API_KEY: 'Enables `acedata`; optionally ACEDATA_BASE_URL',
      'none of these': 'Enables `sandbox`, which is free and needs no account',
    },
    'Only in the configuration file': {
      providers: '[{ "name": "main", "dialect": "openai", "apiKey": "${OPENAI_API_KEY}" }]',
      metrics: 'false disables /metrics',
      traceUpstreams: 'true sends a traceparent header to providers',
      limits: 'requestsPerMinute, tasksPerMinute, concurrentTasks, uploadBytesPerMinute',
      retention: 'tasksMs, eventsMs, partialImagesMs, deliveriesMs, callbacksMs; null: for ever',
      rest: 'attach, undeliveredMs, waitMs, cancelOnHangup, hangupGraceMs, modelAliases',
      unknownCost: 'after, post: replaces the hold of a cost that stays unknown',
      engine: 'maxAttempts, leaseMs, heartbeatMs, reapMs, lookupDelaysMs, pollMs,',
      '': 'progressIntervalMs, drainTimeoutMs',
    },
    Signals: {
      'SIGTERM, SIGINT': 'Wait for running calls, then exit',
      'a second one': 'Abort running calls and exit with 75; their outcome is unknown',
    },
  },
  examples: ['darkroom serve --port 8080', 'OPENAI_API_KEY=… darkroom serve'],
  run: runServe,
}

async function runServe({ values, flags: switches }: Arguments, context: CommandContext): Promise<number> {
  const { env, out, err } = context
  const { port, host, 'data-dir': dataDir } = values
  const flags = { ...(port && { port }), ...(host && { host }), ...(dataDir && { dataDir }) }
  const config = await loadConfig(context, { flags })
  warn(config.warnings, err)
  const signals = watchSignals()
  try {
    const gateway = await startGateway(config, context, { restored: switches.has('after-restore') })
    out.write(banner({ ...gateway, config, version: manifest.version }, out.paint))
    const stopping = new AbortController()
    await Promise.race([signals.first, npmShellEnded(env, stopping.signal)])
    stopping.abort()
    const { drainTimeoutMs } = config.engine
    const seconds = Math.ceil(drainTimeoutMs / 1000)
    out.write(`Waiting up to ${seconds} s for running calls. Press Ctrl-C again to stop at once.\n`)
    const force = new AbortController()
    void signals.second.then(() => force.abort())
    void signals.third.then(() => process.exit(EXIT.callsAborted))
    const { abortedCalls: count } = await gateway.stop({
      deadlineMs: drainTimeoutMs,
      forceStop: force.signal,
    })
    out.write(
      count === 0
        ? 'Stopped.\n'
        : `Stopped. ${count} ${count === 1 ? 'call was' : 'calls were'} aborted and may have been charged. See attemptsNeedingReview or \`darkroom attempt\`.\n`,
    )
    return count === 0 ? EXIT.ok : EXIT.callsAborted
  } catch (error) {
    signals.close()
    throw error
  }
}

/** A failure stops what was started. */
export async function startGateway(
  config: Config,
  { env, err }: CommandContext,
  options: { restored: boolean },
): Promise<Pick<Gateway, 'stop'> & { url: string; isOpen: boolean }> {
  const { createGateway } = await import('../gateway.ts')
  const { openTracing } = await import('../telemetry/open.ts')
  const tracing = await openTracing(env, (sentence) => warn([sentence], err))
  const log = createLog(config.logLevel, undefined, {
    redact: config.redact,
    fields: () => tracing.logFields(),
  })
  const gateway = await createGateway(config, { log, tracing })
  const stop: Gateway['stop'] = async (how) => {
    const result = await gateway.stop(how)
    await tracing.close().catch(() => {})
    return result
  }
  try {
    return { ...(await gateway.start(options)), stop }
  } catch (error) {
    await stop({ deadlineMs: 0 })
    throw error
  }
}

const SHELL_CHECK_INTERVAL_MS = 500

// At load: the shell may end while the server starts.
const shell = process.ppid

/**
 * Resolves when the shell of this npm script has ended. npm signals only the shell
 * (github.com/npm/run-script, signal-manager.js), and dash, for example, does not forward it. Never resolves
 * outside of npm, where a daemon may outlive its parent.
 */
async function npmShellEnded(env: Environment, signal: AbortSignal): Promise<void> {
  while (env['npm_lifecycle_event'] !== undefined && !signal.aborted) {
    await systemClock.sleep(SHELL_CHECK_INTERVAL_MS, signal)
    if (process.ppid !== shell) return
  }
  await new Promise<never>(() => {})
}
