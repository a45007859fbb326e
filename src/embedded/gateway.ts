import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { createConfig } from '../config/config.ts'
import { ConfigError } from '../config/error.ts'
import type { GatewayConfig } from '../config/input.ts'
import { createGateway as openGateway, type Gateway } from '../gateway.ts'
import { createLog } from '../log.ts'
import { forwardTo, type GatewayLog } from './log.ts'

/** A gateway without a port. Its functions need no `this`. */
export interface EmbeddedGateway {
  /**
   * GraphQL, event streams, images, provider callbacks, health, metrics. The first request starts the
   * gateway. Never rejects: 503 if it could not start or has stopped. `from.remoteAddress`: the client's IP
   * address, for rate limits and the audit log.
   */
  readonly fetch: (
    request: Request,
    from?: { remoteAddress?: string | undefined } | object,
  ) => Promise<Response>
  /** As `fetch`, for node:http, Express and similar servers. */
  readonly handle: (request: IncomingMessage, response: ServerResponse) => void
  /**
   * For `upgrade` of node:http: subscriptions over WebSocket. Other paths than `/graphql` get 404: do not
   * pass a server's other WebSockets.
   */
  readonly upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void
  /**
   * Opens the database and processes tasks without waiting for a request. Idempotent; tries again after a
   * failure. `afterRestore`: the database is a restored backup, so tasks that may have been sent since are
   * marked for review. Rejects with ConfigError, or the database's error.
   */
  readonly start: (options?: { afterRestore?: boolean | undefined }) => Promise<void>
  /** Starts and listens on `host` and `port`. */
  readonly listen: () => Promise<{ url: string }>
  /**
   * Closes event streams and WebSockets, which resume in another process. Waits for running calls up to
   * `deadlineMs` (default: `engine.drainTimeoutMs`) or until `signal` aborts, then aborts them and closes the
   * database. Resolves to the number of aborted calls, with unknown outcomes.
   */
  readonly stop: (options?: {
    deadlineMs?: number | undefined
    signal?: AbortSignal | undefined
  }) => Promise<{ abortedCalls: number }>
}

export interface EmbeddedGatewayConfig extends GatewayConfig {
  /**
   * All rights for every request while there is neither `adminKey` nor an API key: for development, or
   * trusted clients only. Default false.
   */
  allowAnonymous?: boolean | undefined
  /** Without secrets. Default: JSON lines on standard error. */
  log?: GatewayLog | undefined
}

/**
 * From settings alone; `loadConfig` reads environment and files. Opens nothing before the first request,
 * `start` or `listen`. Throws ConfigError with every problem.
 */
export function createGateway({
  allowAnonymous = false,
  log: target,
  ...settings
}: EmbeddedGatewayConfig = {}): EmbeddedGateway {
  const config = createConfig(settings, { cwd: '' })
  const log = createLog(config.logLevel, target && forwardTo(target), { redact: config.redact })
  let restored = false
  let stopped: Promise<{ abortedCalls: number }> | undefined

  const open = once(async () => {
    for (const warning of config.warnings) log.warn(warning)
    return openGateway(config, { log, allowAnonymous })
  })
  const work = once(async () => {
    const gateway = await open.get()
    await gateway.work({ restored })
    return gateway
  })
  const listening = once(async () => (await work.get()).listen())

  /** Undefined if stopped or unable to start, which is logged. */
  async function ready(): Promise<Gateway | undefined> {
    if (stopped) return undefined
    return work.get().catch((error: unknown) => {
      const problems = error instanceof ConfigError ? { problems: error.problems } : {}
      log.error({ err: error, ...problems }, 'gateway failed to start')
      return undefined
    })
  }

  async function close(
    deadlineMs: number | undefined,
    forceStop: AbortSignal | undefined,
  ): Promise<{ abortedCalls: number }> {
    // They may be opening.
    await Promise.allSettled([work.current(), listening.current()])
    const opened = await open.current()?.catch(() => undefined)
    if (opened)
      return opened.stop({ ...(deadlineMs !== undefined && { deadlineMs }), ...(forceStop && { forceStop }) })
    await Promise.all(config.providers.map((provider) => provider.close()))
    return { abortedCalls: 0 }
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
        log.error({ err: error }, 'request failed unexpectedly')
        response.destroy()
      })
    },
    upgrade(request, socket, head) {
      // A disconnect during the start must not end the process.
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
      // Running work may have sent what needs review.
      if (afterRestore && work.current()) throw new Error('Pass afterRestore before the first request.')
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
    message: 'The gateway could not start or has stopped. Try again later.',
  },
}
const UNAVAILABLE_INIT = { status: 503, headers: { 'retry-after': '5' } }

/** Frameworks pass other objects. */
function addressOf(from: object | undefined): string | undefined {
  const address: unknown = from && 'remoteAddress' in from ? from.remoteAddress : undefined
  return typeof address === 'string' ? address : undefined
}

/** Calls `create` once; again after a failure. */
function once<T>(create: () => Promise<T>): { get(): Promise<T>; current(): Promise<T> | undefined } {
  let current: Promise<T> | undefined
  return {
    current: () => current,
    get: () =>
      (current ??= create().catch((error: unknown) => {
        current = undefined
        throw error
      })),
  }
}
