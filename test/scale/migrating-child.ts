// Opens a database, and is killed before statement `killAt`. Otherwise prints the number of statements.
import { writeSync } from 'node:fs'
import BetterSqlite3 from 'better-sqlite3'
import { Client } from 'pg'
import { MIGRATIONS } from '../../src/db/connection/migrations.ts'
import { openDatabase } from '../../src/db/open.ts'
import { createLog } from '../../src/log.ts'

const { databaseUrl, dataDir, folder, killAt } = JSON.parse(process.argv[2]!) as {
  databaseUrl: string | null
  dataDir: string
  /** A folder of other migrations. */
  folder: string | null
  killAt: number
}
let calls = 0

/** Counts the calls of a method, and kills the process at `killAt`. */
function countCalls(holder: object, name: string): void {
  const call: unknown = Reflect.get(holder, name)
  if (typeof call !== 'function') throw new Error(`There is no method ${name}.`)
  Reflect.set(holder, name, function counted(this: unknown, ...args: unknown[]): unknown {
    if (++calls === killAt) process.kill(process.pid, 'SIGKILL')
    return Reflect.apply(call, this, args)
  })
}

if (folder !== null) MIGRATIONS[databaseUrl === null ? 'sqlite' : 'postgresql'] = folder
const memory = new BetterSqlite3(':memory:')
countCalls(Object.getPrototypeOf(memory.prepare('select 1')) as object, 'run')
memory.close()
countCalls(Client.prototype, 'query')
const db = await openDatabase({ databaseUrl, dataDir, onWakeUp: () => {}, log: createLog('silent') })
writeSync(1, String(calls))
await db.close()
