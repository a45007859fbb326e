import process from 'node:process'
import manifest from '../../package.json' with { type: 'json' }
import type { Config } from '../config/config.ts'
import type { Gateway } from '../gateway.ts'
import { createLog } from '../log.ts'
import { banner } from './banner.ts'
import type { Arguments, Command, Surroundings } from './command.ts'
import { EXIT } from './exit.ts'
import { npmShellEnded } from './npm-parent.ts'
import { watchSignals } from './signals.ts'
import { warn } from './warn.ts'

/** `darkroom serve`. */
export const serve: Command = {
  name: 'serve',
  summary: 'Run the server until it is told to stop',
  usage: '[--port <number>] [--host <address>] [--data-dir <path>] [--after-restore]',
  takesWords: false,
  options: [
    { name: 'port', value: '<number>', about: 'where to listen; 4000 by default, 0 picks a free one' },
    {
      name: 'host',
      value: '<address>',
      about: '127.0.0.1 by default; where others can connect, keys must exist',
    },
    {
      name: 'after-restore',
      value: null,
      about: 'a backup was just restored: send nothing that may have been sent since',
    },
    { name: 'data-dir', value: '<path>', about: 'where SQLite and the images live; ./data by default' },
  ],
  notes: [
    {
      title: 'Environment',
      lines: [
        ['PORT, HOST, DATA_DIR', 'as the options above, which win over them'],
        ['PUBLIC_URL', 'where clients reach the server, when that is elsewhere'],
        ['DARKROOM_ADMIN_KEY', 'the key of the operator, 32 characters or more'],
        ['DATABASE_URL', 'postgres://…; SQLite in DATA_DIR when it is not set'],
        ['LOG_LEVEL', 'silent, fatal, error, warn, info (default), debug or trace'],
        ['OPENAI_API_KEY', 'switches the provider `openai` on; OPENAI_BASE_URL moves it'],
        ['BASIC_API_KEY', 'with BASIC_BASE_URL: the provider `basic`'],
        ['PMOCK_ACCESS_KEY', 'with PMOCK_SECRET_KEY: the provider `pmock`; PMOCK_BASE_URL moves it'],
        ['JIMMY_API_KEY', 'the provider `jimmy`; JIMMY_BASE_URL moves it'],
        ['ACEDATA_API_KEY', 'the provider `acedata`; ACEDATA_BASE_URL moves it'],
        ['OTEL_EXPORTER_OTLP_ENDPOINT', 'where traces go, beside the other OTEL_… variables; else nowhere'],
        ['DARKROOM_CONFIG', 'the file with everything else: ./darkroom.config.{ts,js,json}'],
      ],
    },
    {
      title: 'Only in the file',
      lines: [
        ['providers', '[{ "name": "…", "dialect": "openai", … }]; the sandbox when there are none'],
        ['corsOrigins', 'the web origins that may call from a browser'],
        ['trustedProxies', 'address ranges whose X-Forwarded-… headers are believed'],
        ['introspection', 'on, off, or auto: on while only this machine is served'],
        ['metrics', 'false takes /metrics away'],
        ['traceUpstreams', 'true sends upstreams the traceparent of each call'],
        ['engine', 'maxAttempts, leaseMs, heartbeatMs, reapMs, lookAfterMs, pollMs,'],
        ['', 'progressEveryMs, drainTimeoutMs'],
        ['retention', 'eventsMs, previewsMs, deliveriesMs, callbacksMs: null keeps for ever'],
      ],
    },
    {
      title: 'Signals',
      lines: [
        ['SIGTERM, SIGINT', 'finish what is under way, then stop'],
        ['a second one', 'cut what is under way and stop; its outcome is then unknown (exit 75)'],
      ],
    },
  ],
  examples: ['darkroom serve --port 8080', 'OPENAI_API_KEY=… darkroom serve'],
  run: runServer,
}

async function runServer({ values, switches }: Arguments, around: Surroundings): Promise<number> {
  const { port, host, 'data-dir': dataDir } = values
  const flags = { ...(port && { port }), ...(host && { host }), ...(dataDir && { dataDir }) }
  // Imported late, so that help and mistakes are answered without loading the server.
  const { loadConfig } = await import('../config/config.ts')
  const config = await loadConfig({ env: around.env, cwd: around.cwd, flags })
  for (const warning of config.warnings) warn(warning, around.err)
  const signals = watchSignals()
  try {
    const gateway = await openGateway(config, around, { restored: switches.has('after-restore') })
    around.out.write(banner({ ...gateway, config, version: manifest.version }, around.out.paint))
    const stopping = new AbortController()
    await Promise.race([signals.first, npmShellEnded(around.env, stopping.signal)])
    stopping.abort()
    const seconds = Math.ceil(config.engine.drainTimeoutMs / 1000)
    around.out.write(
      `Stopping once what is under way has ended, within ${seconds} s. Again to stop at once.\n`,
    )
    const impatient = new AbortController()
    void signals.second.then(() => impatient.abort())
    void signals.third.then(() => process.exit(EXIT.abandoned))
    const { cut } = await gateway.stop({
      deadlineMs: config.engine.drainTimeoutMs,
      hurry: impatient.signal,
    })
    around.out.write(cut === 0 ? 'Stopped.\n' : stoppedShort(cut))
    return cut === 0 ? EXIT.ok : EXIT.abandoned
  } catch (error) {
    signals.close()
    throw error
  }
}

function stoppedShort(cut: number): string {
  const [calls, they] = cut === 1 ? ['One call was', 'it was'] : [`${cut} calls were`, 'they were']
  return `Stopped. ${calls} cut: whether ${they} charged is unknown. See attemptsNeedingReview, or \`darkroom attempt\`.\n`
}

/** A gateway that listens, or none at all: what could not start is stopped again. */
async function openGateway(
  config: Config,
  { env, err }: Surroundings,
  options: { restored: boolean },
): Promise<Pick<Gateway, 'stop'> & { url: string; isOpen: boolean }> {
  const { createGateway } = await import('../gateway.ts')
  const { openTracing } = await import('../telemetry/switch.ts')
  const tracing = await openTracing(env, (sentence) => warn(sentence, err))
  const log = createLog(config.logLevel, undefined, { hide: config.hide, more: () => tracing.ids() })
  const gateway = await createGateway(config, { log, tracing })
  const stop: Gateway['stop'] = async (how) => {
    const ended = await gateway.stop(how)
    await tracing.close().catch(() => {})
    return ended
  }
  try {
    return { ...(await gateway.start(options)), stop }
  } catch (error) {
    await stop({ deadlineMs: 0 })
    throw error
  }
}
