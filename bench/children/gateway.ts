// The real gateway, composed as `darkroom serve` does it, with one more dialect that makes progress on command.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as pause } from 'node:timers/promises'
import { loadConfig } from '../../src/config/config.ts'
import { createGateway, type Gateway } from '../../src/gateway.ts'
import { createLog } from '../../src/log.ts'
import { dialects } from '../../src/providers/index.ts'
import { answer, clock, cpuMicros } from '../child.ts'
import { metronome, onCall } from './metronome.ts'

const dataDir = await mkdtemp(join(tmpdir(), 'darkroom-bench-'))
let gateway: Gateway | undefined
let delay: ReturnType<typeof monitorEventLoopDelay> | undefined

/** How often the event loop is asked whether it is on time. */
const RESOLUTION_MS = 10

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

  /** From now on the event loop is watched. */
  watchLoop(): void {
    delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
    delay.enable()
  },

  /** How late the event loop was since `watchLoop`, and the most resident memory this process ever had. */
  strain(): { p99Ms: number; longestMs: number; peakMb: number } {
    return {
      p99Ms: late(delay?.percentile(99) ?? Number.NaN),
      longestMs: late(delay?.max ?? Number.NaN),
      peakMb: process.resourceUsage().maxRSS / 1024,
    }
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

/** What is recorded is the time between two looks, of which the resolution is no delay. */
function late(nanoseconds: number): number {
  return Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS)
}
