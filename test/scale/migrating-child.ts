// A start that dies of SIGKILL before the statement of that number, and otherwise says how many there were.
import { writeSync } from 'node:fs'
import BetterSqlite3 from 'better-sqlite3'
import { Client } from 'pg'
import { MIGRATIONS } from '../../src/db/connection/migrations.ts'
import { openDatabase } from '../../src/db/open.ts'
import { createLog } from '../../src/log.ts'

const { databaseUrl, dataDir, folder, killAt } = JSON.parse(process.argv[2]!) as {
  databaseUrl: string | null
  dataDir: string
  /** Where other migrations are than our own. */
  folder: string | null
  killAt: number
}
let passed = 0

/** Counts what is called by that name, and may be its end. */
function dieAt(holder: object, name: string): void {
  const call: unknown = Reflect.get(holder, name)
  if (typeof call !== 'function') throw new Error(`There is no ${name} to die at.`)
  Reflect.set(holder, name, function mortal(this: unknown, ...args: unknown[]): unknown {
    if (++passed === killAt) process.kill(process.pid, 'SIGKILL')
    return Reflect.apply(call, this, args)
  })
}

if (folder !== null) MIGRATIONS[databaseUrl === null ? 'sqlite' : 'postgresql'] = folder
const memory = new BetterSqlite3(':memory:')
dieAt(Object.getPrototypeOf(memory.prepare('select 1')) as object, 'run')
memory.close()
dieAt(Client.prototype, 'query')
const db = await openDatabase({ databaseUrl, dataDir, onWakeUp: () => {}, log: createLog('silent') })
writeSync(1, String(passed))
await db.close()
