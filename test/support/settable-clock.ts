// Import it first in a process whose parent sets its clock: a message { clockShiftMs } shifts the time of the process and
// of its SQLite connections. The monotonic clock is not affected, as when an operator sets the time of a machine.
import BetterSqlite3 from 'better-sqlite3'
import { z } from 'zod'

const MESSAGE = z.object({ clockShiftMs: z.int() })
let shiftMs = 0
const systemNow = Date.now
Date.now = () => systemNow() + shiftMs
process.on('message', (message) => {
  shiftMs = MESSAGE.safeParse(message).data?.clockShiftMs ?? shiftMs
})

const prepare = Reflect.get(BetterSqlite3.prototype, 'prepare')
const shifted = new WeakSet<object>()
Object.assign(BetterSqlite3.prototype, {
  prepare(this: BetterSqlite3.Database, source: string) {
    if (!shifted.has(this)) {
      shifted.add(this)
      this.function('unixepoch', { varargs: true }, unixepoch)
    }
    return Reflect.apply(prepare, this, [source])
  },
})

/** The only form that this project uses. */
function unixepoch(...args: unknown[]): number {
  if (args.join() !== 'now,subsec') throw new Error(`unixepoch(${args.join()}) is not replaced.`)
  return Date.now() / 1000
}
