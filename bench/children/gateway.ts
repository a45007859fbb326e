// The real gateway, composed as `darkroom serve` does it, with one more dialect that makes progress on command.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { loadConfig } from '../../src/config.ts'
import { createGateway, type Gateway } from '../../src/gateway.ts'
import { createLog } from '../../src/log.ts'
import { dialects } from '../../src/providers/index.ts'
import { answer, clock, cpuMicros } from '../child.ts'
import { metronome, onCall } from './metronome.ts'

const dataDir = await mkdtemp(join(tmpdir(), 'darkroom-bench-'))
let gateway: Gateway | undefined

const verbs = {
  /** Starts it with settings as in a configuration file, and gives its URL. */
  async start(settings: Record<string, unknown>): Promise<string> {
    const file = join(dataDir, 'bench.json')
    await writeFile(file, JSON.stringify({ port: 0, dataDir, logLevel: 'silent', ...settings }))
    const config = await loadConfig({
      env: { DARKROOM_CONFIG: file },
      cwd: dataDir,
      dialects: { ...dialects, metronome },
    })
    gateway = await createGateway(config, { log: createLog('silent') })
    return (await gateway.start()).url
  },

  watching: () => gateway?.watching() ?? 0,
  cpuMicros,

  /** Has the call under way make progress, step by step; gives when each step was made. */
  async beat({ steps, everyMs }: { steps: readonly number[]; everyMs: number }): Promise<number[]> {
    const call = await onCall
    const made: number[] = []
    for (const step of steps) {
      made.push(clock())
      call.onProgress(step)
      await pause(everyMs)
    }
    return made
  },
}

export type GatewayVerbs = typeof verbs

answer(verbs, async () => {
  await gateway?.stop({ deadlineMs: 0 })
  await rm(dataDir, { recursive: true, force: true })
})
