// npm run rolling-restart -- --rate 20 --seconds 20 --rounds 1 --hosts 3
// Restarts each host in turn under `rate` tasks per second. Exits with 1 when a request failed, an event was lost, a task did
// not succeed, or the 99th percentile of mutations rose by more than 3.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { parseArgs } from 'node:util'
import { bundleEntries } from '../support/bundle.ts'
import { startPostgresql } from '../support/postgresql-server.ts'
import { S3_CREDENTIALS, startS3Server } from '../support/s3-server.ts'
import { restartInTurn } from './rolling-restart.ts'

const MAX_RATIO = 3

const { values } = parseArgs({
  options: {
    rate: { type: 'string', default: '20' },
    seconds: { type: 'string', default: '20' },
    rounds: { type: 'string', default: '1' },
    hosts: { type: 'string', default: '3' },
    viewers: { type: 'string', default: '20' },
  },
})
const [rate, seconds, rounds, hosts, viewers] = [
  values.rate,
  values.seconds,
  values.rounds,
  values.hosts,
  values.viewers,
].map(Number) as [number, number, number, number, number]
if (!(rate > 0 && seconds > 0 && rounds > 0 && hosts > 1 && viewers > 0)) {
  process.stderr.write(
    'Usage: npm run rolling-restart -- [--rate <tasks per second>] [--seconds <number>] [--rounds <number>] [--hosts <number>] [--viewers <number>]\n',
  )
  process.exit(64)
}
Object.assign(process.env, S3_CREDENTIALS)
await bundleEntries()
const server = await startPostgresql()
const store = await startS3Server()
const dataDir = await mkdtemp(join(tmpdir(), 'darkroom-rolling-'))
const remove = () => rm(dataDir, { recursive: true, force: true })
const result = await restartInTurn({
  place: { databaseUrl: server.url, dataDir, remove },
  assetsUrl: store.newUrl('rolling'),
  hosts,
  tasksPerSecond: rate,
  calmMs: seconds * 1000,
  rounds,
  viewers,
})
const { tasks, restarts, failed, repeated, ends, problems, p99Ms, charges } = result
const ratio = p99Ms.restarting / p99Ms.calm
process.stdout.write(
  `${hosts} hosts, ${restarts} restarts, ${tasks} tasks: ${failed} requests failed, ${repeated} were repeated\n` +
    `${Object.entries(ends)
      .map(([status, count]) => `${count} ${status}`)
      .join(', ')}; ${charges} charges of the polled provider\n` +
    `P99 of mutations: ${p99Ms.calm} ms, ${p99Ms.restarting} ms during restarts (x ${ratio.toFixed(1)})\n` +
    `${viewers} viewers: ${problems.length === 0 ? 'no lost or repeated events' : `${problems.length} problems`}\n`,
)
for (const problem of problems) process.stdout.write(`  ${problem}\n`)
await store.close()
await server.stop()
await remove()
const isClean = failed === 0 && problems.length === 0 && ends['SUCCEEDED'] === tasks && ratio <= MAX_RATIO
process.exitCode = isClean ? 0 : 1
