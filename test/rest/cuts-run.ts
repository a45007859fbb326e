// npm run rest-cuts -- --calls 1000 --kills 5 --callers 16
// Exits with 1 unless every caller got its picture and the upstream was paid once for each.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { parseArgs } from 'node:util'
import { createRandom } from '../support/random.ts'
import { callThroughCuts } from './cuts.ts'
import { readRepeated } from './rest-server.ts'

const { values } = parseArgs({
  options: {
    calls: { type: 'string', default: '1000' },
    kills: { type: 'string', default: '5' },
    callers: { type: 'string', default: '16' },
    seed: { type: 'string', default: '1' },
  },
})
const [calls = 0, kills = 0, callers = 0, seed = 0] = [
  values.calls,
  values.kills,
  values.callers,
  values.seed,
].map(Number)
if (![calls, kills, callers, seed].every((value) => Number.isInteger(value) && value >= 1)) {
  process.stderr.write(
    'Usage: npm run rest-cuts -- [--calls <n>] [--kills <n>] [--callers <n>] [--seed <n>]\n',
  )
  process.exit(64)
}

const dataDir = await mkdtemp(join(tmpdir(), 'darkroom-rest-cuts-'))
const remove = () => rm(dataDir, { recursive: true, force: true })
const place = { databaseUrl: null, dataDir, remove }
const result = await callThroughCuts({ place, calls, kills, callers, random: createRandom(seed) })
process.stdout.write(
  `${result.served} of ${calls} callers have their picture; ${result.charges} charges, ${result.tasks} tasks, ${result.unknown} of unknown outcome; ` +
    `${result.cuts} connections cut, ${result.kills} kills; asked ${result.asked} times in ${result.requests} requests, ` +
    `${result.attached} attached; ${(result.ms / 1000).toFixed(1)} s\n`,
)
if (result.served !== calls || result.charges !== calls || result.tasks - result.unknown !== calls) {
  process.exitCode = 1
  process.stdout.write(
    readRepeated(dataDir)
      .map((row) => `${JSON.stringify(row)}\n`)
      .join(''),
  )
}
await remove()
