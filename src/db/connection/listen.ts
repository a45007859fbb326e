import { Client } from 'pg'
import type { Logger } from '../../log.ts'
import type { OnWakeUp } from './database.ts'

const CHANNEL = 'darkroom'
const COME_BACK_MS = 1000

/** Wakes every listening process once the transaction commits. The payload, a key, must stay under 8,000 bytes. */
export const notify = (literal: string) => `select pg_notify('${CHANNEL}', ${literal})`

/**
 * Passes on every wake-up of every process, over a connection of its own that reconnects by itself. After a gap it passes
 * `*`, because notifications that were sent meanwhile are lost. Returns a function that stops it.
 */
export function listen(url: string, onWakeUp: OnWakeUp, log: Logger): () => Promise<void> {
  let stopped = false
  let client = connect()
  let retry: NodeJS.Timeout | undefined

  function connect(): Client {
    const own = new Client({ connectionString: url, keepAlive: true, connectionTimeoutMillis: 10_000 })
    own.on('notification', ({ payload }) => onWakeUp(payload ?? '*'))
    // Every way to lose it ends in `end`; an `error` that nobody hears would end the process.
    own.on('error', () => {})
    own.on('end', () => comeBack(own))
    void begin(own)
    return own
  }

  async function begin(own: Client): Promise<void> {
    try {
      await own.connect()
      await own.query(`listen ${CHANNEL}`)
      onWakeUp('*')
    } catch (error) {
      if (!stopped) log.warn({ err: error }, 'cannot listen to the database; trying again')
      await own.end().catch(() => {})
      comeBack(own)
    }
  }

  /** Once for each client, however many ways it tells of its end. */
  function comeBack(lost: Client): void {
    if (stopped || lost !== client || retry) return
    retry = setTimeout(() => {
      retry = undefined
      client = connect()
    }, COME_BACK_MS)
  }

  return async () => {
    stopped = true
    clearTimeout(retry)
    await client.end().catch(() => {})
  }
}
