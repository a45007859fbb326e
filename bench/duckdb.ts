// DuckDB, which nobody needs but the bench, and which is larger than all the rest: it is installed apart.
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const FOLDER = join(import.meta.dirname, 'peers')

/** Why it cannot be measured against, as a sentence; undefined when it can. */
export const duckMissing = existsSync(join(FOLDER, 'node_modules'))
  ? undefined
  : 'DuckDB is not installed: npm ci --prefix bench/peers'

/** The part of @duckdb/node-api that is used here. */
interface DuckDB {
  DuckDBInstance: {
    create(path: string, settings: Record<string, string>): Promise<{ connect(): Promise<Duck> }>
  }
}

export interface Duck {
  run(statement: string): Promise<unknown>
  runAndReadAll(query: string): Promise<{ getRows(): unknown[][] }>
}

/** An empty database in memory, of two threads. */
export async function openDuckDB(): Promise<Duck> {
  const entry = createRequire(join(FOLDER, 'package.json')).resolve('@duckdb/node-api')
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- its own types are only there once it is installed
  const { DuckDBInstance } = (await import(pathToFileURL(entry).href)) as DuckDB
  const instance = await DuckDBInstance.create(':memory:', { threads: '2' })
  return instance.connect()
}
