// npm run bills-day -- --tasks 10000 --seed 1 --database postgresql
// Runs a day of mixed tasks on SQLite, then on PostgreSQL, or on one of them, imports a bill per provider, and exits with 1 if they differ.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { parseArgs } from 'node:util'
import { formatUsd } from '../../src/money.ts'
import { startPostgresql } from '../support/postgresql-server.ts'
import { settleDay } from './day.ts'

const { values } = parseArgs({
  options: {
    tasks: { type: 'string', default: '10000' },
    seed: { type: 'string' },
    database: { type: 'string', default: 'both' },
  },
})
const tasks = Number(values.tasks)
const seed = values.seed ?? String(Math.floor(Math.random() * 2 ** 32))
if (!(Number.isInteger(tasks) && tasks > 0) || !['sqlite', 'postgresql', 'both'].includes(values.database)) {
  process.stderr.write(
    'Usage: npm run bills-day -- [--tasks <number>] [--seed <text>] [--database sqlite|postgresql|both]\n',
  )
  process.exit(64)
}

process.stdout.write(`seed ${seed}\n`)
const server = await startPostgresql({ durable: false })
let isEqual = true
for (const [name, databaseUrl] of [
  ['SQLite', null],
  ['PostgreSQL', server.url],
] as const) {
  if (!['both', name.toLowerCase()].includes(values.database)) continue
  const dataDir = await mkdtemp(join(tmpdir(), 'darkroom-bills-'))
  const remove = () => rm(dataDir, { recursive: true, force: true })
  const day = await settleDay({ place: { databaseUrl, dataDir, remove }, tasks, seed })
  const { differences, billedMicros, ...counts } = day
  process.stdout.write(`${name}: ${formatUsd(billedMicros)} billed, ${JSON.stringify(counts)}\n`)
  for (const sentence of differences) process.stdout.write(`  ${sentence}\n`)
  if (differences.length > 0 || day.reviewed > 0 || day.correctedAgain > 0) isEqual = false
  await remove()
}
await server.stop()
process.exitCode = isEqual ? 0 : 1
