import type { Logger } from '../../log.ts'
import type { OnWakeUp } from './database.ts'
import { Connection, KEEP_ALIVE } from './postgresql-pool.ts'

const CHANNEL = 'darkroom'
/** Idempotent, so that it also is the probe. */
const LISTEN = `listen ${CHANNEL}`
const RECONNECT_MS = 1000
/** A proxy may keep a connection open to a server that is gone. */
const PROBE_INTERVAL_MS = 5_000
const PROBE_TIMEOUT_MS = 3_000

/** PostgreSQL's maximum is 7,999. */
const MAX_PAYLOAD_BYTES = 7_000
const SEPARATOR = ','

/** One statement for all keys of a transaction, unless they are very many. Keys are ids with a prefix. */
export function notifications(keys: Iterable<string>, escape: (text: string) => string): string[] {
  const payloads: string[] = []
  for (const key of keys) {
    const last = payloads.at(-1)
    if (last !== undefined && last.length + key.length < MAX_PAYLOAD_BYTES)
      payloads[payloads.length - 1] = `${last}${SEPARATOR}${key}`
    else payloads.push(key)
  }
  return payloads.map((payload) => `select pg_notify('${CHANNEL}', ${escape(payload)})`)
}

/**
 * On its own connection, which reconnects. Passes `*` after a gap, in which notifications may be lost. Returns a
 * function that stops it.
 */
export function listen(url: string, onWakeUp: OnWakeUp, log: Logger): () => void {
  let isStopped = false
  let client = connect()
  let retry: NodeJS.Timeout | undefined
  let nextProbe: NodeJS.Timeout | undefined

  function connect(): Connection {
    const own = new Connection({
      connectionString: url,
      ...KEEP_ALIVE,
      connectionTimeoutMillis: 5_000,
      query_timeout: PROBE_TIMEOUT_MS,
    })
    own.on('notification', ({ payload }) => {
      for (const key of payload?.split(SEPARATOR) ?? ['*']) onWakeUp(key)
    })
    own.on('end', () => reconnect(own))
    void startListening(own)
    return own
  }

  async function startListening(own: Connection): Promise<void> {
    try {
      await own.connect()
      await own.query(LISTEN)
      onWakeUp('*')
      probe(own)
    } catch (error) {
      if (!isStopped) log.warn({ err: error }, 'database listener failed; reconnecting')
      own.cut()
      reconnect(own)
    }
  }

  function probe(own: Connection): void {
    clearTimeout(nextProbe)
    nextProbe = setTimeout(() => {
      own.query(LISTEN).then(
        () => isStopped || probe(own),
        (error: unknown) => {
          if (!isStopped) log.warn({ err: error }, 'database listener does not respond; reconnecting')
          own.cut()
        },
      )
    }, PROBE_INTERVAL_MS)
  }

  function reconnect(lost: Connection): void {
    if (isStopped || lost !== client || retry) return
    retry = setTimeout(() => {
      retry = undefined
      client = connect()
    }, RECONNECT_MS)
  }

  return () => {
    isStopped = true
    clearTimeout(retry)
    clearTimeout(nextProbe)
    // An unresponsive server must not delay the shutdown.
    client.cut()
  }
}
