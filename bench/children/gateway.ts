// The gateway, composed as by `darkroom serve`, with one more dialect that makes progress on command.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { loadConfig } from '../../src/config/config.ts'
import { createGateway, type Gateway } from '../../src/gateway.ts'
import { createLog } from '../../src/log.ts'
import { dialects } from '../../src/providers/index.ts'
import { requestRule } from '../../src/providers/wire/address.ts'
import { serve, cpuMicros, rssKb, peakRssMb } from '../child.ts'
import { paced, type Pace } from '../pace.ts'
import { manual, onCall } from './manual-dialect.ts'

const dataDir = await mkdtemp(join(tmpdir(), 'darkroom-bench-'))
let gateway: Gateway | undefined
let step = 0
let delay: ReturnType<typeof monitorEventLoopDelay> | undefined
let longestTurnMs = 0
let cpuAtTurn = 0
let turnTimer: NodeJS.Timeout | undefined

/** The engine records each increase below 0.99 as an event. */
const MAX_STEPS = 1e6

type GatewaySettings = Record<string, unknown> & { slowClientTimeoutMs?: number }

/** The sampling interval of the event loop. */
const RESOLUTION_MS = 10

const verbs = {
  /** Starts it with settings as in a configuration file, and returns its URL. */
  async start({ slowClientTimeoutMs, ...settings }: GatewaySettings): Promise<string> {
    const file = join(dataDir, 'bench.json')
    await writeFile(file, JSON.stringify({ port: 0, dataDir, logLevel: 'silent', ...settings }))
    const config = await loadConfig({
      env: { DARKROOM_CONFIG: file },
      cwd: dataDir,
      dialects: { ...dialects, manual },
    })
    gateway = await createGateway(config, {
      log: createLog('silent'),
      ...(slowClientTimeoutMs !== undefined && { slowClientTimeoutMs }),
      webhookRule: { ...requestRule(['http:']), ports: null, isPublic: () => true },
    })
    return (await gateway.start()).url
  },

  /** Starts to measure the delay of the event loop. */
  measureLoop(): void {
    delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
    delay.enable()
    verbs.measureTurns()
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
      peakMb: peakRssMb(),
    }
  },

  /** Starts to measure the CPU time of each turn of the event loop. */
  measureTurns(): void {
    longestTurnMs = 0
    cpuAtTurn = threadCpuMs()
    turnTimer ??= setInterval(() => {
      const now = threadCpuMs()
      longestTurnMs = Math.max(longestTurnMs, now - cpuAtTurn)
      cpuAtTurn = now
    }, 1)
  },

  /** Since `measureTurns`. */
  longestTurnMs: () => longestTurnMs,

  cpuMicros,
  rssKb,

  /** Resolves when the first call has reached the manual provider. */
  async called(): Promise<void> {
    await onCall
  },

  /** Reports progress of that call repeatedly, which is an event each time, and returns the times. */
  async send(pace: Pace): Promise<number[]> {
    const call = await onCall
    return paced(pace, () => call.onProgress(++step / MAX_STEPS))
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
