// npm run one-key -- --count 10000 --connections 100
// To one process on SQLite, then to two on PostgreSQL. Exits with 1 unless each makes one task, one call and one id.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { parseArgs } from 'node:util'
import { startPostgresql } from '../support/postgresql-server.ts'
import { sendWithOneKey } from './one-key.ts'

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '10000' },
    connections: { type: 'string', default: '100' },
  },
})
const requests = Number(values.count)
const connections = Number(values.connections)
if (!Number.isInteger(requests) || requests < 1 || !Number.isInteger(connections / 2) || connections < 2) {
  process.stderr.write('Usage: npm run one-key -- [--count <whole number>] [--connections <even number>]\n')
  process.exit(64)
}

const server = await startPostgresql()
for (const [name, databaseUrl, processes] of [
  ['SQLite, 1 process', null, 1],
  ['PostgreSQL, 2 processes', server.url, 2],
] as const) {
  const dataDir = await mkdtemp(join(tmpdir(), 'darkroom-one-key-'))
  const remove = () => rm(dataDir, { recursive: true, force: true })
  const place = { databaseUrl, dataDir, remove }
  const { ids, refusals, tasks, calls, status, ms, discrepancies } = await sendWithOneKey({
    place,
    processes,
    requests,
    connections,
  })
  process.stdout.write(
    `${name}: ${requests} requests over ${connections} connections in ${(ms / 1000).toFixed(1)} s; ` +
      `${ids.size} id returned ${[...ids.values()].join(' and ')} times, ${tasks} task, ${calls} call, ${status}\n`,
  )
  const other = [...refusals].map(([text, times]) => `${times} times: ${text.slice(0, 300)}`)
  for (const sentence of [...other, ...discrepancies]) process.stdout.write(`  ${sentence}\n`)
  const isOne = ids.size === 1 && ids.values().next().value === requests && tasks === 1 && calls === 1
  if (!isOne || discrepancies.length > 0) process.exitCode = 1
  await remove()
}
await server.stop()
