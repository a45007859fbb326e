import type { SQL } from 'drizzle-orm'
import type { NodePgDatabase } from 'drizzle-orm/node-postgres'
import type { RateCounter } from './rate-counter.ts'
import type { Tables } from '../tables/tables.ts'

/** The query builders that mean the same on both databases. Always await them; never .get, .all or .run. */
export type Builders = Pick<
  NodePgDatabase,
  'select' | 'selectDistinct' | 'insert' | 'update' | 'delete' | 'with'
>

/** A connection for reading. */
export interface Queries {
  readonly dialect: 'sqlite' | 'postgresql'
  readonly sql: Builders
  readonly tables: Tables
  /** The database's own clock, in milliseconds. */
  readonly now: SQL<number>
}

/** A connection inside a transaction. Only transactions write. */
export interface Transaction extends Queries {
  /** Wakes the waiters for `key` in every process, after the commit. */
  wakeUp(key: string): void
  /** Runs `callback` after the commit; never after a rollback. */
  afterCommit(callback: () => void): void
}

export interface Database {
  readonly dialect: 'sqlite' | 'postgresql'
  /** The file or URL, without a password. */
  readonly location: string
  /** For reading outside of a transaction. Each query sees everything that was committed when it began. */
  readonly read: Queries
  /**
   * Runs `work` in a transaction. The promise resolves after a durable commit, and rejects after a rollback. `work`
   * awaits nothing but queries: on SQLite, all other writers wait for it.
   */
  tx<T>(work: (q: Transaction) => Promise<T>): Promise<T>
  /** Counts for rate limits, shared by all processes of this database. */
  readonly counter: RateCounter
  close(): Promise<void>
}

/** Receives the wake-up keys of all processes; `*` when some may have been missed. */
export type OnWakeUp = (key: string) => void
