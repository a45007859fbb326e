// npm run reconnects -- --count 100000 --seed 1
// Half on SQLite, half on PostgreSQL with two processes. Exits with 1 when a viewer missed an event or received one twice.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { parseArgs } from 'node:util'
import { startPostgresql } from '../support/postgresql-server.ts'
import { reconnect } from './reconnects.ts'

const { values } = parseArgs({
  options: { count: { type: 'string', default: '1000' }, seed: { type: 'string' } },
})
const count = Number(values.count)
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 32))
if (!Number.isInteger(count) || count < 2 || !Number.isInteger(seed)) {
  process.stderr.write('Usage: npm run reconnects -- [--count <whole number>] [--seed <whole number>]\n')
  process.exit(64)
}

process.stdout.write(`seed ${seed}, ${count} reconnects\n`)
const server = await startPostgresql()

/** Runs half of the reconnects on one database, and returns whether every viewer received each event once. */
async function run(name: string, databaseUrl: string | null, processes: number): Promise<boolean> {
  const dataDir = await mkdtemp(join(tmpdir(), 'darkroom-reconnects-'))
  const remove = () => rm(dataDir, { recursive: true, force: true })
  const at = performance.now()
  const { resumed, tasks, events, received, discrepancies } = await reconnect({
    place: { databaseUrl, dataDir, remove },
    processes,
    count: Math.ceil(count / 2),
    seed,
    feedViewers: 8,
    taskViewers: 4,
  })
  const counts = Object.entries(resumed).map(([what, times]) => `${times} of ${what}`)
  process.stdout.write(
    `${name}: ${counts.join(', ')}; ${tasks} tasks, ${events} events, received ${received} times, ` +
      `${Math.round((performance.now() - at) / 1000)} s; ${discrepancies.length === 0 ? 'no gap, no repeat' : `${discrepancies.length} discrepancies:`}\n`,
  )
  for (const sentence of discrepancies) process.stdout.write(`  ${sentence}\n`)
  await remove()
  return discrepancies.length === 0
}

// Both at once: each leaves cores idle.
const complete = await Promise.all([
  run('SQLite, 1 process', null, 1),
  run('PostgreSQL, 2 processes', server.url, 2),
])
await server.stop()
process.exitCode = complete.every(Boolean) ? 0 : 1
