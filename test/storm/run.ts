// npm run storm -- --minutes 5 --seed 1
// Runs on SQLite, then on PostgreSQL with three processes, half of the time on each. Exits 1 on a discrepancy.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { parseArgs } from 'node:util'
import { startPostgresql } from '../support/postgresql-server.ts'
import { runStorm, type StormResult } from './storm.ts'

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '1' }, seed: { type: 'string' } },
})
const minutes = Number(values.minutes)
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 32))
if (!(minutes > 0) || !Number.isInteger(seed)) {
  process.stderr.write('Usage: npm run storm -- [--minutes <number>] [--seed <whole number>]\n')
  process.exit(64)
}

process.stdout.write(`seed ${seed}, ${minutes} min\n`)
const ms = (minutes * 60_000) / 2
const server = await startPostgresql()
let isClean = true
for (const [name, databaseUrl, processes] of [
  ['SQLite, 1 process', null, 1],
  ['PostgreSQL, 3 processes', server.url, 3],
] as const) {
  const dataDir = await mkdtemp(join(tmpdir(), 'darkroom-storm-'))
  const remove = () => rm(dataDir, { recursive: true, force: true })
  const result = await runStorm({ place: { databaseUrl, dataDir, remove }, processes, ms, seed })
  process.stdout.write(`${name}: ${describe(result)}\n`)
  for (const sentence of result.discrepancies) process.stdout.write(`  ${sentence}\n`)
  if (result.discrepancies.length > 0) isClean = false
  await remove()
}
await server.stop()
process.exitCode = isClean ? 0 : 1

function describe({ kills, tasks, ends, charges, received, settledMs, discrepancies }: StormResult): string {
  const counts = Object.entries(ends).map(([status, count]) => `${count} ${status}`)
  return (
    `${kills} kills, ${tasks} tasks (${counts.join(', ')}), ${charges} charges, ${received} received answers in the spool at a kill, ` +
    `settled ${settledMs} ms after the last; ${discrepancies.length === 0 ? 'no discrepancy' : `${discrepancies.length} discrepancies:`}`
  )
}
