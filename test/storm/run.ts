// npm run storm -- --minutes 20 --database sqlite --processes 3 --seed 1
// npm run storm -- --minutes 30 --assets s3: hosts without a common folder, on PostgreSQL and a bucket, both killed in turn
// Runs on SQLite, then on PostgreSQL, half of the time on each. Exits with 1 on a discrepancy.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { parseArgs } from 'node:util'
import { bundleEntries } from '../support/bundle.ts'
import { startPostgresql } from '../support/postgresql-server.ts'
import { S3_CREDENTIALS, startS3Server } from '../support/s3-server.ts'
import { createCluster } from './cluster.ts'
import { runStorm } from './storm.ts'
import { renderResult } from './table.ts'

const USAGE =
  'Usage: npm run storm -- [--minutes <number>] [--seed <whole number>] [--database sqlite|postgresql|both] ' +
  '[--processes <number, on PostgreSQL>] [--assets folder|s3] [--viewers <number, with s3>]\n'
/** A process needs a second to start. */
const PACE = { faultMs: 1500, taskMs: 200 }

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '1' },
    seed: { type: 'string' },
    database: { type: 'string', default: 'both' },
    processes: { type: 'string', default: '3' },
    assets: { type: 'string', default: 'folder' },
    viewers: { type: 'string', default: '50' },
  },
})
const minutes = Number(values.minutes)
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 32))
const processes = Number(values.processes)
const viewers = Number(values.viewers)
const onS3 = values.assets === 's3'
const databases = onS3
  ? ['postgresql']
  : ['sqlite', 'postgresql'].filter((name) => ['both', name].includes(values.database))
if (
  !['folder', 's3'].includes(values.assets) ||
  !(minutes > 0 && viewers > 0 && Number.isInteger(seed) && processes > 0) ||
  databases.length === 0
) {
  process.stderr.write(USAGE)
  process.exit(64)
}

await bundleEntries()
let isClean = true
for (const database of databases) {
  const server = database === 'postgresql' ? await startPostgresql() : undefined
  const count = server ? processes : 1
  const dataDir = await mkdtemp(join(tmpdir(), 'darkroom-storm-'))
  const remove = () => rm(dataDir, { recursive: true, force: true })
  const place = { databaseUrl: server?.url ?? null, dataDir, remove }
  const ms = (minutes * 60_000) / databases.length
  process.stdout.write(`${database}, processes: ${count}, seed ${seed}, ${ms / 60_000} min\n`)
  const store = onS3 ? await startS3Server() : undefined
  if (store) Object.assign(process.env, S3_CREDENTIALS)
  const stormPlace = store ? { ...place, assetsUrl: store.newUrl('storm') } : place
  const cluster =
    store && server
      ? await createCluster({ place: stormPlace, server, hosts: processes, viewers, seed })
      : undefined
  const common = { place: stormPlace, processes: count, ms, seed, pace: PACE }
  const result = await runStorm(cluster ? { ...common, cluster } : common)
  await cluster?.close()
  await store?.close()
  for (const line of renderResult(result)) process.stdout.write(`  ${line}\n`)
  process.stdout.write(`  settled ${result.settledMs} ms after the last request\n`)
  for (const sentence of [...result.discrepancies, ...result.details]) process.stdout.write(`  ${sentence}\n`)
  if (result.discrepancies.length > 0) isClean = false
  if (result.discrepancies.length === 0 || process.env['KEEP'] === undefined) await remove()
  else process.stdout.write(`  data folder: ${dataDir}\n`)
  await server?.stop()
}
process.exitCode = isClean ? 0 : 1
