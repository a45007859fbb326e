import pg from 'pg'
import type { Logger } from '../log.ts'
import type { OnPoke } from './database.ts'

const CHANNEL = 'darkroom'

/** Wakes every listening process once the transaction commits. The payload, a key, must stay under 8,000 bytes. */
export const NOTIFY = `select pg_notify('${CHANNEL}', $1)`

/**
 * Passes on every poke of every process, over a connection of its own that comes back by itself. After a gap it pokes
 * `*`, because what was notified meanwhile is gone. Returns a function that stops it.
 */
export function listen(url: string, onPoke: OnPoke, log: Logger): () => Promise<void> {
  let stopped = false
  let client: pg.Client | undefined
  let retry: NodeJS.Timeout | undefined

  async function connect(): Promise<void> {
    client = new pg.Client({ connectionString: url, keepAlive: true })
    client.on('notification', ({ payload }) => onPoke(payload ?? '*'))
    client.on('error', () => {})
    client.on('end', again)
    try {
      await client.connect()
      await client.query(`listen ${CHANNEL}`)
      onPoke('*')
    } catch (error) {
      log.warn({ error: (error as Error).message }, 'cannot listen to the database; trying again')
      await client.end().catch(() => {})
      again()
    }
  }

  function again(): void {
    clearTimeout(retry)
    if (!stopped) retry = setTimeout(() => void connect(), 1000)
  }

  void connect()
  return async () => {
    stopped = true
    clearTimeout(retry)
    await client?.end().catch(() => {})
  }
}
