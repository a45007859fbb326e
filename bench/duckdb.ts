// DuckDB is installed separately, because only the bench uses it, and it is larger than all other dependencies.
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { PEERS_FOLDER } from './peers.ts'

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

/** An empty database in memory with two threads. */
export async function openDuckDB(): Promise<Duck> {
  const entry = createRequire(join(PEERS_FOLDER, 'package.json')).resolve('@duckdb/node-api')
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- its types exist only once it is installed
  const { DuckDBInstance } = (await import(pathToFileURL(entry).href)) as DuckDB
  const instance = await DuckDBInstance.create(':memory:', { threads: '2' })
  return instance.connect()
}
