import type { SQL } from 'drizzle-orm'
import type { NodePgDatabase } from 'drizzle-orm/node-postgres'
import type { RateCounter } from './rate-counter.ts'
import type { Tables } from '../tables/tables.ts'

/** The builders that mean the same on both databases. Await them; never call .get, .all or .run. */
export type Builders = Pick<
  NodePgDatabase,
  'select' | 'selectDistinct' | 'insert' | 'update' | 'delete' | 'with'
>

export interface Queries {
  readonly dialect: 'sqlite' | 'postgresql'
  readonly sql: Builders
  /** For statements that are prepared once: compiles the decoding of their rows. */
  readonly toPrepare: Builders
  readonly tables: Tables
  /** The database's clock, in milliseconds. */
  readonly now: SQL<number>
}

/** Only transactions write. */
export interface Transaction extends Queries {
  /** After the commit, in every process. */
  wakeUp(key: string): void
  /** Not after a rollback. */
  afterCommit(callback: () => void): void
}

export interface Database {
  readonly dialect: 'sqlite' | 'postgresql'
  /** Without a password. */
  readonly location: string
  /** Each query sees everything that was committed before it. */
  readonly read: Queries
  /**
   * For queries over many rows: on SQLite in other threads, so that they delay no others. Throws Unavailable.
   */
  readonly reports: Queries
  /**
   * Resolves after a durable commit. Throws Unavailable when the database is away or too busy. `work` awaits
   * only queries: on SQLite, all other writers wait for it.
   */
  tx<T>(work: (q: Transaction) => Promise<T>): Promise<T>
  readonly counter: RateCounter
  close(): Promise<void>
}

/** Receives wake-up keys of all processes; `*` when some may be lost. */
export type OnWakeUp = (key: string) => void
