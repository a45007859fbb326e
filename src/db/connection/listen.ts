import { Client } from 'pg'
import type { Logger } from '../../log.ts'
import type { OnWakeUp } from './database.ts'

const CHANNEL = 'darkroom'
const RECONNECT_MS = 1000

/** The payload must be under 8,000 bytes. */
export const notify = (literal: string) => `select pg_notify('${CHANNEL}', ${literal})`

/**
 * Passes the wake-ups of all processes, over its own connection, which reconnects. After a gap it passes `*`, because
 * notifications may be lost. Returns a function that stops it.
 */
export function listen(url: string, onWakeUp: OnWakeUp, log: Logger): () => Promise<void> {
  let isStopped = false
  let client = connect()
  let retry: NodeJS.Timeout | undefined

  function connect(): Client {
    const own = new Client({ connectionString: url, keepAlive: true, connectionTimeoutMillis: 10_000 })
    own.on('notification', ({ payload }) => onWakeUp(payload ?? '*'))
    // An `error` without a listener would end the process. `end` follows it.
    own.on('error', () => {})
    own.on('end', () => reconnect(own))
    void startListening(own)
    return own
  }

  async function startListening(own: Client): Promise<void> {
    try {
      await own.connect()
      await own.query(`listen ${CHANNEL}`)
      onWakeUp('*')
    } catch (error) {
      if (!isStopped) log.warn({ err: error }, 'database listener failed; reconnecting')
      await own.end().catch(() => {})
      reconnect(own)
    }
  }

  function reconnect(lost: Client): void {
    if (isStopped || lost !== client || retry) return
    retry = setTimeout(() => {
      retry = undefined
      client = connect()
    }, RECONNECT_MS)
  }

  return async () => {
    isStopped = true
    clearTimeout(retry)
    await client.end().catch(() => {})
  }
}
