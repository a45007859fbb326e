// A process that stops itself inside a transaction, with the lock of a project's ledger.
import { DEFAULT_PROJECT } from '../../src/db/access/projects.ts'
import { openDatabase } from '../../src/db/open.ts'
import { lockLedger } from '../../src/db/money/spending.ts'
import { createLog } from '../../src/log.ts'

const [databaseUrl = '', dataDir = ''] = process.argv.slice(2)
const db = await openDatabase({ databaseUrl, dataDir, onWakeUp: () => {}, log: createLog('silent') })
const ended = db.tx(async (q) => {
  await lockLedger(q, DEFAULT_PROJECT)
  process.send?.('locked')
  process.kill(process.pid, 'SIGSTOP')
  await lockLedger(q, DEFAULT_PROJECT)
})
ended.then(
  () => process.send?.('committed'),
  (error: unknown) => process.send?.(error instanceof Error ? error.constructor.name : 'failed'),
)
process.once('disconnect', () => process.exit())
