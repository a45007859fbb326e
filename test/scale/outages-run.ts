// npm run outages -- --seconds 60 --minutes 10 --tasks 1000 --seed 1
// PostgreSQL is away for so many seconds under one paid call; then, for so many minutes, it is killed every five to ten
// seconds under so many tasks, and two processes. Exits 1 when a task is lost or left open, or the books do not match.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { parseArgs } from 'node:util'
import type { Place } from '../support/database.ts'
import { startPostgresql, type PostgresqlServer } from '../support/postgresql-server.ts'
import { outlast, restartOften, type Outcome } from './outages.ts'

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
await onServer(`away for ${seconds} s`, (server, place) =>
  outlast(server, place, { awayMs: seconds * 1000, leaseMs: 30_000 }),
)
await onServer(`${tasks} tasks in ${minutes} min`, (server, place) => {
  const restarts = Math.max(1, Math.round((minutes * 60_000) / ((EVERY_MS.low + EVERY_MS.high) / 2)))
  return restartOften(server, place, {
    tasks,
    restarts,
    everyMs: EVERY_MS,
    awayMs: { low: 0, high: 2000 },
    seed,
  })
})

async function onServer(
  name: string,
  ordeal: (server: PostgresqlServer, place: Place) => Promise<Outcome>,
): Promise<void> {
  const server = await startPostgresql()
  const dataDir = await mkdtemp(join(tmpdir(), 'darkroom-outages-'))
  const remove = () => rm(dataDir, { recursive: true, force: true })
  const { ends, calls, restarts, settledMs, discrepancies } = await ordeal(server, {
    databaseUrl: server.url,
    dataDir,
    remove,
  })
  const counts = Object.entries(ends).map(([status, count]) => `${count} ${status}`)
  process.stdout.write(
    `${name}: ${restarts} restarts, ${counts.join(', ')}, ${calls} calls, settled ${settledMs} ms after the last; ` +
      `${discrepancies.length === 0 ? 'nothing amiss' : `${discrepancies.length} amiss:`}\n`,
  )
  for (const sentence of discrepancies) process.stdout.write(`  ${sentence}\n`)
  if (discrepancies.length > 0) process.exitCode = 1
  await server.stop()
  await remove()
}
