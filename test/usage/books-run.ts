// npm run books -- --tasks 1000 --seed 1
// Paints on SQLite, then on PostgreSQL, compares report, ledger and bills, and exits 1 where they differ.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { parseArgs } from 'node:util'
import { usd } from '../../src/http/usage/columns.ts'
import { startPostgresql } from '../support/postgresql-server.ts'
import { compareBooks, type Books } from './books.ts'

const { values } = parseArgs({
  options: { tasks: { type: 'string', default: '1000' }, seed: { type: 'string' } },
})
const tasks = Number(values.tasks)
const seed = values.seed ?? String(Math.floor(Math.random() * 2 ** 32))
if (!(Number.isInteger(tasks) && tasks > 0)) {
  process.stderr.write('Usage: npm run books -- [--tasks <number>] [--seed <text>]\n')
  process.exit(64)
}

process.stdout.write(`seed ${seed}\n`)
const server = await startPostgresql()
let agree = true
for (const [name, databaseUrl] of [
  ['SQLite', null],
  ['PostgreSQL', server.url],
] as const) {
  const dataDir = await mkdtemp(join(tmpdir(), 'darkroom-books-'))
  const remove = () => rm(dataDir, { recursive: true, force: true })
  const books = await compareBooks({ place: { databaseUrl, dataDir, remove }, tasks, seed })
  process.stdout.write(`${name}: ${describe(books)}\n`)
  for (const sentence of books.differences) process.stdout.write(`  ${sentence}\n`)
  if (books.differences.length > 0) agree = false
  await remove()
}
await server.stop()
process.exitCode = agree ? 0 : 1

function describe({
  tasks: painted,
  attempts,
  bills,
  billedMicros,
  reportedMicros,
  unknown,
  differences,
}: Books): string {
  return (
    `${painted} tasks, ${attempts} attempts, ${bills} charges on the bills for $${usd(billedMicros)}; $${usd(reportedMicros)} ` +
    `reported and ${unknown} costs unknown; ${differences.length === 0 ? 'no difference' : `${differences.length} differences:`}`
  )
}
