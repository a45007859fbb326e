// npm run reconcile -- --tasks 1000 --seed 1
// Generates images on SQLite, then on PostgreSQL, compares report, ledger and bills, and exits with 1 if they differ.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { parseArgs } from 'node:util'
import { formatUsd } from '../../src/money.ts'
import { startPostgresql } from '../support/postgresql-server.ts'
import { reconcile, type Reconciliation } from './reconciliation.ts'

const { values } = parseArgs({
  options: { tasks: { type: 'string', default: '1000' }, seed: { type: 'string' } },
})
const tasks = Number(values.tasks)
const seed = values.seed ?? String(Math.floor(Math.random() * 2 ** 32))
if (!(Number.isInteger(tasks) && tasks > 0)) {
  process.stderr.write('Usage: npm run reconcile -- [--tasks <number>] [--seed <text>]\n')
  process.exit(64)
}

process.stdout.write(`seed ${seed}\n`)
const server = await startPostgresql()
let isEqual = true
for (const [name, databaseUrl] of [
  ['SQLite', null],
  ['PostgreSQL', server.url],
] as const) {
  const dataDir = await mkdtemp(join(tmpdir(), 'darkroom-reconciliation-'))
  const remove = () => rm(dataDir, { recursive: true, force: true })
  const result = await reconcile({ place: { databaseUrl, dataDir, remove }, tasks, seed })
  process.stdout.write(`${name}: ${describe(result)}\n`)
  for (const sentence of result.differences) process.stdout.write(`  ${sentence}\n`)
  if (result.differences.length > 0) isEqual = false
  await remove()
}
await server.stop()
process.exitCode = isEqual ? 0 : 1

function describe({
  tasks: count,
  attempts,
  bills,
  billedMicros,
  reportedMicros,
  unknown,
  differences,
}: Reconciliation): string {
  return (
    `${count} tasks, ${attempts} attempts, ${bills} charges on the bills for ${formatUsd(billedMicros)}; ${formatUsd(reportedMicros)} ` +
    `reported and ${unknown} costs unknown; ${differences.length === 0 ? 'no difference' : `${differences.length} differences:`}`
  )
}
