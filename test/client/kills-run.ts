// npm run client-kills -- --kills 1000 --seed 1
// Half over WebSockets, half over server-sent events. Exits with 1 when an event was missed or received twice.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { parseArgs } from 'node:util'
import { TRANSPORTS } from '../support/client.ts'
import { killConnections } from './kills.ts'

const { values } = parseArgs({
  options: { kills: { type: 'string', default: '1000' }, seed: { type: 'string' } },
})
const kills = Number(values.kills)
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 32))
process.stdout.write(`seed ${seed}\n`)
for (const transport of TRANSPORTS) {
  const dataDir = await mkdtemp(join(tmpdir(), 'darkroom-kills-'))
  const place = { databaseUrl: null, dataDir, remove: () => rm(dataDir, { recursive: true, force: true }) }
  const result = await killConnections({ place, kills: Math.ceil(kills / 2), seed, transport })
  await place.remove()
  const { discrepancies, restarts, tasks, events } = result
  process.stdout.write(
    `${transport}: ${result.kills} kills, ${restarts} restarts, ${tasks} tasks, ${events} events received, ` +
      `${discrepancies.length === 0 ? 'no gap, no repeat' : `${discrepancies.length} discrepancies:`}\n`,
  )
  for (const sentence of discrepancies) process.stdout.write(`  ${sentence}\n`)
  if (discrepancies.length > 0) process.exitCode = 1
}
