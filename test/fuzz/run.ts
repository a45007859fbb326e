// npm run fuzz -- --minutes 10 --seed 1
// Exits 1 on a response of 500 or above, an unrequested charge, or more than 100 MB of additional memory.
import process from 'node:process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { fuzz } from './fuzz.ts'

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '1' }, seed: { type: 'string' } },
})
const minutes = Number(values.minutes)
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 32))
if (!(minutes > 0) || !Number.isInteger(seed)) {
  process.stderr.write('Usage: npm run fuzz -- [--minutes <number>] [--seed <whole number>]\n')
  process.exit(64)
}

process.stdout.write(`seed ${seed}, ${minutes} min\n`)
const dataDir = await mkdtemp(join(tmpdir(), 'darkroom-fuzz-'))
const remove = () => rm(dataDir, { recursive: true, force: true })
const place = { databaseUrl: null, dataDir, remove }
const { problems, responses, ...found } = await fuzz({ place, seed, until: { ms: minutes * 60_000 } })
const grown = `${Math.round(found.grownBytes / 1e6)} MB`
process.stdout.write(
  `${found.requests} requests, ${found.sockets} of them sockets, ${found.aborted} aborted; ` +
    `${found.tasks} tasks, ${found.charges} charges; memory grew by ${grown}: ${found.heldMb.join(' ')} MB\n${JSON.stringify(responses)}\n`,
)
for (const sentence of problems) process.stdout.write(`  ${sentence}\n`)
await remove()
process.exitCode = problems.length === 0 && found.grownBytes < 100e6 ? 0 : 1
