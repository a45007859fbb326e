// npm run storm -- --minutes 5 --seed 1
// Blows on SQLite, then on PostgreSQL with three processes, half of the time on each, and exits 1 when anything is amiss.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { parseArgs } from 'node:util'
import { startPostgresql } from '../support/postgresql-server.ts'
import { runStorm, type Weather } from './storm.ts'

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
let isCalm = true
for (const [name, databaseUrl, processes] of [
  ['SQLite, 1 process', null, 1],
  ['PostgreSQL, 3 processes', server.url, 3],
] as const) {
  const dataDir = await mkdtemp(join(tmpdir(), 'darkroom-storm-'))
  const remove = () => rm(dataDir, { recursive: true, force: true })
  const weather = await runStorm({ place: { databaseUrl, dataDir, remove }, processes, ms, seed })
  process.stdout.write(`${name}: ${describe(weather)}\n`)
  for (const sentence of weather.harm) process.stdout.write(`  ${sentence}\n`)
  if (weather.harm.length > 0) isCalm = false
  await remove()
}
await server.stop()
process.exitCode = isCalm ? 0 : 1

function describe({ kills, tasks, ends, charges, receipts, settledMs, harm }: Weather): string {
  const counts = Object.entries(ends).map(([status, count]) => `${count} ${status}`)
  return (
    `${kills} kills, ${tasks} tasks (${counts.join(', ')}), ${charges} charges, ${receipts} images in the spool at a kill, ` +
    `settled ${settledMs} ms after the last; ${harm.length === 0 ? 'nothing amiss' : `${harm.length} amiss:`}`
  )
}
