import type { SQL } from 'drizzle-orm'
import type { NodePgDatabase } from 'drizzle-orm/node-postgres'
import type { Counter } from './rate-counter.ts'
import type { Tables } from '../tables/tables.ts'

/** The query builders that mean the same on both databases. Always await them; never .get, .all or .run. */
export type Builders = Pick<
  NodePgDatabase,
  'select' | 'selectDistinct' | 'insert' | 'update' | 'delete' | 'with'
>

/** A connection as the query functions see it. */
export interface Queries {
  readonly dialect: 'sqlite' | 'postgresql'
  readonly sql: Builders
  readonly tables: Tables
  /** The database's own clock, in milliseconds. */
  readonly now: SQL<number>
}

/** A connection inside a transaction: the only place that writes. */
export interface Transaction extends Queries {
  /** Wakes the waiters for `key`, in this process and in every other, once this has committed. */
  wakeUp(key: string): void
  /** Runs `tell` once this has committed, and not at all when it does not: for what is counted. */
  afterCommit(tell: () => void): void
}

export interface Database {
  readonly dialect: 'sqlite' | 'postgresql'
  /** Where the rows are, fit to be shown: no password. */
  readonly location: string
  /** For reading outside of a transaction. Each query sees all that had committed when it began. */
  readonly read: Queries
  /**
   * Runs `work` in a transaction that is durable when the promise resolves, and rolls back when it rejects. Inside,
   * await nothing but queries: on SQLite every writer waits meanwhile.
   */
  tx<T>(work: (q: Transaction) => Promise<T>): Promise<T>
  /** What limits count with, for all processes that share the database. */
  readonly counter: Counter
  close(): Promise<void>
}

/** Receives the keys of wake-ups, of this process and of others; `*` when some may have been missed. */
export type OnWakeUp = (key: string) => void
