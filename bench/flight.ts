// Many slow calls in flight, against limits.
import { createHash } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { styleText } from 'node:util'
import { z } from 'zod'
import { clock, openChild } from './child.ts'
import type { GatewayVerbs } from './children/gateway.ts'
import type { SlowUpstreamVerbs } from './children/slow-upstream.ts'
import { ask, generate, succeeded } from './graphql.ts'
import { percentile } from './measure.ts'

/** Calls in flight at a time. */
const CLIENTS = 200
const BETWEEN_CLIENTS_MS = 50
const PACE = { fromMs: 30_000, toMs: 60_000, megabytes: 2 }
const LIMITS = { peakMb: 700, p99Ms: 50, mutationP99Ms: 100 }

const IMAGES = z.object({
  data: z.object({
    task: z.object({ images: z.tuple([z.object({ url: z.string(), sha256: z.string() })]) }),
  }),
})

/**
 * Keeps calls in flight for some minutes, on SQLite. Each client requests an image, follows its task to the end, fetches the
 * image and requests the next. Sets the exit code when an image is lost or a limit is exceeded.
 */
export async function flight(minutes: number): Promise<string> {
  await using slowUpstream = openChild<SlowUpstreamVerbs>('slow-upstream')
  await using gateway = openChild<GatewayVerbs>('gateway')
  const upstream = {
    name: 'upstream',
    dialect: 'openai',
    mode: 'sync',
    apiKey: 'bench',
    concurrency: 2 * CLIENTS,
  }
  const providers = [{ ...upstream, baseUrl: await slowUpstream.call('start', PACE) }]
  const url = `${await gateway.call('start', { providers })}/graphql`
  // Idle, so that its delay is that of the machine.
  await using idle = openChild<GatewayVerbs>('gateway')
  await Promise.all([gateway, idle].map((one) => one.call('measureLoop')))

  const until = clock() + minutes * 60_000
  const lost: string[] = []
  const latencies: number[] = []
  async function client(nth: number): Promise<void> {
    // Clients start one after the other.
    await pause(nth * BETWEEN_CLIENTS_MS)
    while (clock() < until) {
      const start = clock()
      const taskId = await generate(url, '{ prompt: "a long exposure", size: "1024x1024" }')
      latencies.push(clock() - start)
      await fetchImage(url, taskId).catch((error: unknown) => lost.push(`${taskId}: ${String(error)}`))
    }
  }
  await Promise.all(Array.from({ length: CLIENTS }, (_, nth) => client(nth)))

  const { p99Ms, maxMs, peakMb } = await gateway.call('load')
  const machine = await idle.call('load')
  const calls = await slowUpstream.call('calls')
  const mutationP99Ms = percentile(latencies, 0.99)
  const isWithinLimits =
    lost.length === 0 &&
    calls === latencies.length &&
    peakMb <= LIMITS.peakMb &&
    p99Ms <= LIMITS.p99Ms &&
    mutationP99Ms <= LIMITS.mutationP99Ms
  if (!isWithinLimits) process.exitCode = 1
  return [
    styleText(
      'bold',
      `flight · ${CLIENTS} calls in flight for ${minutes} min, each ${PACE.fromMs / 1000}–${PACE.toMs / 1000} s long with a PNG of ${PACE.megabytes} MB, on SQLite, against limits`,
    ),
    `  tasks ${count(latencies.length)}, calls ${count(calls)}, lost ${lost.length}`,
    `  peak memory of the gateway   ${count(peakMb)} MB of ${LIMITS.peakMb}`,
    `  event-loop delay P99         ${p99Ms.toFixed(1)} ms of ${LIMITS.p99Ms}, the maximum ${count(maxMs)} ms; of an idle process ${machine.p99Ms.toFixed(1)} and ${count(machine.maxMs)} ms`,
    `  generateImage response, P99   ${mutationP99Ms.toFixed(1)} ms of ${LIMITS.mutationP99Ms}`,
    ...lost.slice(0, 10).map((sentence) => `  ${sentence}`),
    '',
  ].join('\n')
}

/** Waits for the end of a task and fetches its image. */
async function fetchImage(url: string, taskId: string): Promise<void> {
  await succeeded(url, taskId)
  const response = await ask(url, `{ task(id: "${taskId}") { images { url sha256 } } }`)
  const [image] = IMAGES.parse(await response.json()).data.task.images
  const bytes = Buffer.from(await (await fetch(image.url)).arrayBuffer())
  if (createHash('sha256').update(bytes).digest('hex') !== image.sha256)
    throw new Error('The image has another hash.')
}

function count(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 0 })
}
