// npm run live-wall -- --minutes 10 --rate 1000
// Plays tasks through the page Live in headless Chromium, after a minute of warm-up, and reports the longest block of the main
// thread, the longest frame, elements, and growth of the heap. Exits with 1 above the bounds. Other work on the machine is in
// these times; the load is reported beside them, and from a trace at the end the longest task by its CPU time, which is not.
import { execFileSync } from 'node:child_process'
import { loadavg } from 'node:os'
import process from 'node:process'
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { chromium, type CDPSession, type Page } from 'playwright-core'
import { startFeedPlayer } from './feed-player.ts'

const MAX_BLOCK_MS = 100
const MAX_GROWTH_MB = 50
const MAX_ELEMENTS = 1_500
const SAMPLE_MS = 5_000
const TRACE_MS = 10_000
const DEFAULT_WARM_UP_S = '60'
const MB = 1_024 * 1_024

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    rate: { type: 'string', default: '1000' },
    warmup: { type: 'string', default: DEFAULT_WARM_UP_S },
  },
})
const [minutes, rate, warmUpSeconds] = [values.minutes, values.rate, values.warmup].map(Number)
if (!(minutes! > 0) || !(rate! > 0) || !(warmUpSeconds! >= 0)) {
  process.stderr.write(
    'Usage: npm run live-wall -- [--minutes <number>] [--rate <tasks per minute>] [--warmup <seconds>]\n',
  )
  process.exit(64)
}

interface Watched {
  blocks: number[]
  frames: number
  gaps: number[]
  last: number
}

declare global {
  var liveWall: Watched | undefined
}

execFileSync(process.execPath, ['dashboard/build.ts', '--if-stale'], { stdio: 'inherit' })
await using player = await startFeedPlayer()
const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--no-sandbox', '--enable-precise-memory-info'],
})
try {
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } })
  await page.addInitScript(watch)
  await page.goto(player.url)
  await page.getByRole('status').getByText('Live').waitFor()
  const cdp = await page.context().newCDPSession(page)
  await cdp.send('Performance.enable')
  const total = minutes! + warmUpSeconds! / 60
  // More than enough: the trace comes last.
  const playing = player.play(Math.ceil((total + 1) * rate!), rate!)
  await pause(warmUpSeconds! * 1_000)
  await reset(page)
  const before = await measure(cdp)
  const tasksBefore = player.counts()
  const start = performance.now()
  let elements = 0
  while (performance.now() - start < minutes! * 60_000) {
    await pause(SAMPLE_MS)
    elements = Math.max(elements, await page.evaluate(() => document.querySelectorAll('*').length))
  }
  const seconds = (performance.now() - start) / 1_000
  const seen = await page.evaluate(() => globalThis.liveWall!)
  const after = await measure(cdp)
  const counts = player.counts()
  await browser.startTracing(page, { categories: ['disabled-by-default-devtools.timeline'] })
  await pause(TRACE_MS)
  const { longestMs, taskCount } = longestTask(await browser.stopTracing())
  void playing

  const longest = Math.max(0, ...seen.blocks)
  const gap = Math.max(0, ...seen.gaps)
  const growth = (after.heap - before.heap) / MB
  const overBlocks = seen.blocks.filter((ms) => ms > MAX_BLOCK_MS)
  const overGaps = seen.gaps.filter((ms) => ms > MAX_BLOCK_MS)
  const load = loadavg().map((one) => one.toFixed(1))
  const cpu = (after.taskSeconds - before.taskSeconds) / seconds
  process.stdout.write(
    [
      `${counts.tasks - tasksBefore.tasks} tasks and ${counts.events - tasksBefore.events} events in ${(seconds / 60).toFixed(1)} minutes`,
      `longest block of the main thread: ${longest.toFixed(0)} ms; over ${MAX_BLOCK_MS} ms: ${overBlocks.length}`,
      `longest task of the main thread by CPU time, of ${taskCount} in ${TRACE_MS / 1_000} s: ${longestMs.toFixed(0)} ms`,
      `frames: ${(seen.frames / seconds).toFixed(1)} per second; longest ${gap.toFixed(0)} ms; over ${MAX_BLOCK_MS} ms: ${overGaps.length}`,
      `main thread: busy ${(cpu * 100).toFixed(0)} % of the time`,
      `heap: ${(before.heap / MB).toFixed(1)} to ${(after.heap / MB).toFixed(1)} MB, ${growth.toFixed(1)} MB more`,
      `elements: at most ${elements}`,
      `load of the machine over 1, 5 and 15 minutes: ${load.join(', ')}`,
    ].join('\n') + '\n',
  )
  if (overBlocks.length > 0 || overGaps.length > 0 || growth > MAX_GROWTH_MB || elements > MAX_ELEMENTS)
    process.exitCode = 1
} finally {
  await browser.close()
}

/** In the page. */
function watch(): void {
  const seen: Watched = { blocks: [], frames: 0, gaps: [], last: performance.now() }
  globalThis.liveWall = seen
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) seen.blocks.push(duration)
  }).observe({ type: 'longtask' })
  const onFrame = (at: number) => {
    seen.frames++
    if (at - seen.last > 50) seen.gaps.push(at - seen.last)
    seen.last = at
    requestAnimationFrame(onFrame)
  }
  requestAnimationFrame(onFrame)
}

async function reset(page: Page): Promise<void> {
  await page.evaluate(() => {
    Object.assign(globalThis.liveWall!, { blocks: [], gaps: [], frames: 0, last: performance.now() })
  })
}

/** Bytes of the heap after a collection, and seconds of tasks of the main thread. */
async function measure(cdp: CDPSession): Promise<{ heap: number; taskSeconds: number }> {
  await cdp.send('HeapProfiler.collectGarbage')
  const { metrics } = await cdp.send('Performance.getMetrics')
  const of = (name: string) => metrics.find((one) => one.name === name)?.value ?? 0
  return { heap: of('JSHeapUsedSize'), taskSeconds: of('TaskDuration') }
}

interface TraceEvent {
  name: string
  pid: number
  tid: number
  /** CPU time of the thread, in microseconds. */
  tdur?: number
  args: { name?: string }
}

/** Of the main thread of the page, which has the most tasks among those of all pages. */
function longestTask(trace: Buffer): { longestMs: number; taskCount: number } {
  const { traceEvents } = JSON.parse(trace.toString()) as { traceEvents: TraceEvent[] }
  const threadOf = ({ pid, tid }: TraceEvent) => `${pid} ${tid}`
  const main = new Set(
    traceEvents
      .filter(({ name, args }) => name === 'thread_name' && args.name === 'CrRendererMain')
      .map(threadOf),
  )
  const tasks = traceEvents.filter((one) => one.name === 'RunTask' && main.has(threadOf(one)))
  const byThread = [...main].map((thread) => tasks.filter((one) => threadOf(one) === thread))
  const own = byThread.toSorted((a, b) => b.length - a.length)[0] ?? []
  return {
    longestMs: own.reduce((most, { tdur = 0 }) => Math.max(most, tdur / 1_000), 0),
    taskCount: own.length,
  }
}
