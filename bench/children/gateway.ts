// The gateway, composed as by `darkroom serve`, with one more dialect that makes progress on command.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as pause } from 'node:timers/promises'
import { loadConfig } from '../../src/config/config.ts'
import { createGateway, type Gateway } from '../../src/gateway.ts'
import { createLog } from '../../src/log.ts'
import { dialects } from '../../src/providers/index.ts'
import { requestRule } from '../../src/providers/wire/address.ts'
import { serve, clock, cpuMicros } from '../child.ts'
import { manual, onCall } from './manual-dialect.ts'

const dataDir = await mkdtemp(join(tmpdir(), 'darkroom-bench-'))
let gateway: Gateway | undefined
let longestTurnMs = 0
let delay: ReturnType<typeof monitorEventLoopDelay> | undefined

let longestTurnMs = 0
let cpuAtTurn = 0
let turnTimer: NodeJS.Timeout | undefined

/** The sampling interval of the event loop. */
const RESOLUTION_MS = 10

const verbs = {
  /** Starts it with settings as in a configuration file, and returns its URL. */
  async start(settings: Record<string, unknown>): Promise<string> {
    const file = join(dataDir, 'bench.json')
    await writeFile(file, JSON.stringify({ port: 0, dataDir, logLevel: 'silent', ...settings }))
    const config = await loadConfig({
      env: { DARKROOM_CONFIG: file },
      cwd: dataDir,
      dialects: { ...dialects, manual },
    })
    gateway = await createGateway(config, {
      log: createLog('silent'),
      webhookRule: { ...requestRule(['http:']), ports: null, isPublic: () => true },
    })
    return (await gateway.start()).url
  },

  /** Starts to measure the delay of the event loop. */
  measureLoop(): void {
    delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
    delay.enable()
    let before = threadCpuMs()
    setInterval(() => {
      const now = threadCpuMs()
      longestTurnMs = Math.max(longestTurnMs, now - before)
      before = now
    }, RESOLUTION_MS).unref()
  },

  /**
   * The delay of the event loop since `measureLoop`, and the peak of resident memory. `turnMs` is the longest delay in CPU
   * time of the loop's thread, which other processes of the machine do not change.
   */
  load(): { p99Ms: number; maxMs: number; turnMs: number; peakMb: number } {
    return {
      turnMs: longestTurnMs,
      p99Ms: toDelay(delay?.percentile(99) ?? Number.NaN),
      maxMs: toDelay(delay?.max ?? Number.NaN),
      peakMb: process.resourceUsage().maxRSS / 1024,
    }
  },

  /** Starts to measure the CPU time of each turn of the event loop. */
  measureTurns(): void {
    longestTurnMs = 0
    turnTimer ??= setInterval(() => {
      const { user, system } = process.threadCpuUsage()
      longestTurnMs = Math.max(longestTurnMs, (user + system) / 1000 - cpuAtTurn)
      cpuAtTurn = (user + system) / 1000
    }, 1)
  },

  /** Since `measureTurns`. */
  longestTurnMs: () => longestTurnMs,

  watching: () => gateway?.subscriberCount() ?? 0,
  cpuMicros,

  /** Reports progress of the running call, step by step, and returns the times. */
  async progress({ steps, everyMs }: { steps: readonly number[]; everyMs: number }): Promise<number[]> {
    const call = await onCall
    const times: number[] = []
    for (const step of steps) {
      times.push(clock())
      call.onProgress(step)
      await pause(everyMs)
    }
    return times
  },
}

export type GatewayVerbs = typeof verbs

serve(verbs, async () => {
  await gateway?.stop({ deadlineMs: 0 })
  await rm(dataDir, { recursive: true, force: true })
})

function threadCpuMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}

/** The monitor records the time between two samples, which contains the sampling interval. */
function toDelay(nanoseconds: number): number {
  return Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS)
}
