// Gateways that are killed with received answers on disk.
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import BetterSqlite3 from 'better-sqlite3'
import { Client } from 'pg'
import { expect } from 'vitest'
import type { Place } from '../support/database.ts'
import type { GatewayProcess } from '../support/gateway-process.ts'
import type { FaultyUpstream } from './upstream.ts'

const SUFFIX = '.receipt.json'

/** The names of the received-answer records in a data folder. */
export async function recordsIn(dataDir: string): Promise<string[]> {
  return (await readdir(join(dataDir, 'assets', 'spool'))).filter((name) => name.endsWith(SUFFIX)).toSorted()
}

/** The id of the attempt of a record. */
export const attemptOf = (record: string): string => record.slice(0, -SUFFIX.length)

/** Releases the responses that the upstream holds, and kills the gateway once each is recorded and none is settled. */
export async function killWithAnswers(
  place: Place,
  gateway: GatewayProcess,
  upstream: FaultyUpstream,
  count: number,
): Promise<void> {
  const unlock = await preventSettling(place)
  try {
    upstream.release()
    await expect.poll(() => recordsIn(place.dataDir)).toHaveLength(count)
    await gateway.kill()
  } finally {
    await unlock()
  }
}

/** Locks what settling an attempt writes to. */
async function preventSettling({ databaseUrl, dataDir }: Place): Promise<() => Promise<void>> {
  if (databaseUrl === null) {
    const db = new BetterSqlite3(join(dataDir, 'darkroom.db'))
    db.exec('begin immediate')
    return async () => void db.close()
  }
  const client = new Client({ connectionString: databaseUrl })
  await client.connect()
  await client.query('begin')
  await client.query('select id from tasks for update')
  return () => client.end()
}
