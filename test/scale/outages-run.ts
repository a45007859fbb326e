// npm run outages -- --seconds 60 --minutes 10 --tasks 1000 --seed 1
// PostgreSQL is down for `seconds` during one paid call. Then it is killed every five to ten seconds for `minutes`, with
// `tasks` and two processes. Exits with 1 when a task is lost or left open, or a ledger does not match.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { parseArgs } from 'node:util'
import type { Place } from '../support/database.ts'
import { startPostgresql, type PostgresqlServer } from '../support/postgresql-server.ts'
import { surviveOutage, restartOften, type Outcome } from './outages.ts'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    minutes: { type: 'string', default: '1' },
    tasks: { type: 'string', default: '100' },
    seed: { type: 'string' },
  },
})
const [seconds, minutes, tasks] = [Number(values.seconds), Number(values.minutes), Number(values.tasks)]
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 32))
if (!(seconds > 0) || !(minutes > 0) || !Number.isInteger(tasks) || tasks < 1 || !Number.isInteger(seed)) {
  process.stderr.write(
    'Usage: npm run outages -- [--seconds <number>] [--minutes <number>] [--tasks <whole number>] [--seed <whole number>]\n',
  )
  process.exit(64)
}
const EVERY_MS = { low: 5000, high: 10_000 }

process.stdout.write(`seed ${seed}\n`)
await onServer(`down for ${seconds} s`, (server, place) =>
  surviveOutage(server, place, { downMs: seconds * 1000, leaseMs: 30_000 }),
)
await onServer(`${tasks} tasks in ${minutes} min`, (server, place) => {
  const restarts = Math.max(1, Math.round((minutes * 60_000) / ((EVERY_MS.low + EVERY_MS.high) / 2)))
  return restartOften(server, place, {
    tasks,
    restarts,
    everyMs: EVERY_MS,
    downMs: { low: 0, high: 2000 },
    seed,
  })
})

async function onServer(
  name: string,
  scenario: (server: PostgresqlServer, place: Place) => Promise<Outcome>,
): Promise<void> {
  const server = await startPostgresql()
  const dataDir = await mkdtemp(join(tmpdir(), 'darkroom-outages-'))
  const remove = () => rm(dataDir, { recursive: true, force: true })
  const { ends, calls, restarts, settledMs, discrepancies } = await scenario(server, {
    databaseUrl: server.url,
    dataDir,
    remove,
  })
  const counts = Object.entries(ends).map(([status, count]) => `${count} ${status}`)
  process.stdout.write(
    `${name}: ${restarts} restarts, ${counts.join(', ')}, ${calls} calls, settled ${settledMs} ms after the last; ` +
      `${discrepancies.length === 0 ? 'no discrepancies' : `${discrepancies.length} discrepancies:`}\n`,
  )
  for (const sentence of discrepancies) process.stdout.write(`  ${sentence}\n`)
  if (discrepancies.length > 0) process.exitCode = 1
  await server.stop()
  await remove()
}
