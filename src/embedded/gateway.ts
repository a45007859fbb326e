// The gateway as a library: synchronous to create, opened by the first request, mounted in the server of another program.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { createConfig } from '../config/config.ts'
import { ConfigError } from '../config/error.ts'
import type { GatewayConfig } from '../config/input.ts'
import { createGateway as openGateway, type Gateway } from '../gateway.ts'
import { createLog } from '../log.ts'
import { forwardTo, type GatewayLog } from './log.ts'

/** A gateway without a port of its own. Its functions need no `this`. */
export interface EmbeddedGateway {
  /**
   * Responds to a request: GraphQL and its event streams, images, webhook callbacks of providers, health, metrics. The
   * first request starts the gateway. Resolves to status 503, and never rejects, when it could not start or has stopped.
   * `from.remoteAddress`: the client's IP address, for rate limits and the audit log; other properties are ignored.
   */
  readonly fetch: (
    request: Request,
    from?: { remoteAddress?: string | undefined } | object,
  ) => Promise<Response>
  /** The same for node:http, Express and the like, as a listener for `request`. */
  readonly handle: (request: IncomingMessage, response: ServerResponse) => void
  /**
   * Listener for `upgrade` of node:http, for subscriptions over WebSocket. Refuses paths other than `/graphql` with
   * status 404: where the server has other WebSockets, pass only the gateway's.
   */
  readonly upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void
  /**
   * Opens the database and works on queued tasks, without waiting for a request. Repeated calls return the first
   * result; one that failed is tried again. `afterRestore`: the database was just restored from a backup, so tasks that
   * may have been sent since are marked for review. Rejects with ConfigError, or with what the database reports.
   */
  readonly start: (options?: { afterRestore?: boolean | undefined }) => Promise<void>
  /** Starts, and listens on `host` and `port` with a server of its own. Resolves to its URL. */
  readonly listen: () => Promise<{ url: string }>
  /**
   * Takes no new work, waits for paid calls for up to `deadlineMs` (default: `engine.drainTimeoutMs`) or until `signal`
   * aborts, then cuts them and closes the database. Resolves to the number of calls that were cut: their outcome is
   * unknown. Open event streams and WebSockets are cut at once, and resume in another process.
   */
  readonly stop: (options?: {
    deadlineMs?: number | undefined
    signal?: AbortSignal | undefined
  }) => Promise<{ cut: number }>
}

/** The settings of the configuration file, and what only a program can give. */
export interface EmbeddedGatewayConfig extends GatewayConfig {
  /**
   * True admits every request, with all rights, as long as there is neither `adminKey` nor an API key in the database:
   * for development, or where only trusted clients can connect. Default false.
   */
  allowAnonymous?: boolean | undefined
  /** Where log lines go. Default: JSON lines on standard error. Secrets are removed either way. */
  log?: GatewayLog | undefined
}

/**
 * Creates a gateway from settings alone: the environment and configuration files are not read (see `loadConfig`).
 * Opens nothing before the first request, `start` or `listen`. Throws ConfigError with every problem found.
 */
export function createGateway({
  allowAnonymous = false,
  log: target,
  ...settings
}: EmbeddedGatewayConfig = {}): EmbeddedGateway {
  const config = createConfig(settings, { cwd: '' })
  const log = createLog(config.logLevel, target && forwardTo(target), { hide: config.hide })
  let restored = false
  let stopped: Promise<{ cut: number }> | undefined

  const open = once(async () => {
    for (const warning of config.warnings) log.warn(warning)
    return openGateway(config, { log, mayBeOpen: allowAnonymous })
  })
  const work = once(async () => {
    const gateway = await open.get()
    await gateway.work({ restored })
    return gateway
  })
  const listening = once(async () => (await work.get()).listen())

  /** Undefined, with the reason in the log, when there is no gateway that could respond. */
  async function ready(): Promise<Gateway | undefined> {
    if (stopped) return undefined
    return work.get().catch((error: unknown) => {
      const problems = error instanceof ConfigError ? { problems: error.problems } : {}
      log.error({ err: error, ...problems }, 'the gateway could not start')
      return undefined
    })
  }

  async function close(
    deadlineMs: number | undefined,
    hurry: AbortSignal | undefined,
  ): Promise<{ cut: number }> {
    // What is being opened at this moment must be closed as well.
    await Promise.allSettled([work.current(), listening.current()])
    const opened = await open.current()?.catch(() => undefined)
    if (opened)
      return opened.stop({ ...(deadlineMs !== undefined && { deadlineMs }), ...(hurry && { hurry }) })
    await Promise.all(config.providers.map((provider) => provider.close()))
    return { cut: 0 }
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const gateway = await ready()
    if (gateway) return gateway.handle(request, response)
    const { status, headers } = UNAVAILABLE_INIT
    response.writeHead(status, { ...headers, 'content-type': 'application/json' })
    response.end(JSON.stringify(UNAVAILABLE))
  }

  return {
    async fetch(request, from) {
      const gateway = await ready()
      return gateway ? gateway.fetch(request, addressOf(from)) : Response.json(UNAVAILABLE, UNAVAILABLE_INIT)
    },
    handle(request, response) {
      void serve(request, response).catch((error: unknown) => {
        log.error({ err: error }, 'a request met an unexpected error')
        response.destroy()
      })
    },
    upgrade(request, socket, head) {
      // A client that leaves while the gateway starts must not end the process.
      socket.on('error', ignore)
      void ready().then((gateway) => {
        if (gateway) return gateway.upgrade(request, socket, head)
        return void socket.end(
          'HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\ncontent-length: 0\r\n\r\n',
        )
      })
    },
    async start({ afterRestore = false } = {}) {
      if (stopped) throw new Error('The gateway was stopped. Create another one.')
      // Work that has begun may have sent what was to be marked for review.
      if (afterRestore && work.current()) throw new Error('afterRestore must come before the first request.')
      restored ||= afterRestore
      await work.get()
    },
    async listen() {
      if (stopped) throw new Error('The gateway was stopped. Create another one.')
      return listening.get()
    },
    stop: ({ deadlineMs, signal } = {}) => (stopped ??= close(deadlineMs, signal)),
  }
}

const ignore = () => {}

const UNAVAILABLE = {
  error: {
    code: 'SERVICE_UNAVAILABLE',
    message: 'The gateway could not start, or has stopped. Try again in a moment.',
  },
}
const UNAVAILABLE_INIT = { status: 503, headers: { 'retry-after': '5' } }

/** Frameworks pass what they like as second argument. */
function addressOf(from: object | undefined): string | undefined {
  const address: unknown = from && 'remoteAddress' in from ? from.remoteAddress : undefined
  return typeof address === 'string' ? address : undefined
}

/** Makes a value once, and again after a failure. */
function once<T>(make: () => Promise<T>): { get(): Promise<T>; current(): Promise<T> | undefined } {
  let made: Promise<T> | undefined
  return {
    current: () => made,
    get() {
      made ??= make().catch((error: unknown) => {
        made = undefined
        throw error
      })
      return made
    },
  }
}
