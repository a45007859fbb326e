// Many slow calls in flight for as long as is asked for, against limits.
import { createHash } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { styleText } from 'node:util'
import { z } from 'zod'
import { clock, openChild } from './child.ts'
import type { GatewayVerbs } from './children/gateway.ts'
import type { StudioVerbs } from './children/studio.ts'
import { ask, generate, succeeded } from './graphql.ts'
import { percentile } from './measure.ts'

/** Calls in flight at a time. */
const CLIENTS = 200
const BETWEEN_CLIENTS_MS = 50
const PACE = { fromMs: 30_000, toMs: 60_000, megabytes: 2 }
const LIMITS = { peakMb: 700, p99Ms: 50, askP99Ms: 100 }

const IMAGES = z.object({
  data: z.object({
    task: z.object({ images: z.tuple([z.object({ url: z.string(), sha256: z.string() })]) }),
  }),
})

/**
 * Keeps so many calls in flight for some minutes, on SQLite. Each client asks for a picture, watches its task to the end,
 * fetches the picture and asks for the next. Sets the exit code when a picture is lost or a limit is passed.
 */
export async function flight(minutes: number): Promise<string> {
  await using studio = openChild<StudioVerbs>('studio')
  await using gateway = openChild<GatewayVerbs>('gateway')
  const upstream = {
    name: 'studio',
    dialect: 'openai',
    mode: 'sync',
    apiKey: 'bench',
    concurrency: 2 * CLIENTS,
  }
  const providers = [{ ...upstream, baseUrl: await studio.ask('start', PACE) }]
  const url = `${await gateway.ask('start', { providers })}/graphql`
  // Does nothing, and so is late only when the machine is.
  await using bystander = openChild<GatewayVerbs>('gateway')
  await Promise.all([gateway, bystander].map((one) => one.ask('watchLoop')))

  const until = clock() + minutes * 60_000
  const lost: string[] = []
  const asking: number[] = []
  async function client(nth: number): Promise<void> {
    // One after the other: a crowd that all comes at once is measured elsewhere.
    await pause(nth * BETWEEN_CLIENTS_MS)
    while (clock() < until) {
      const start = clock()
      const taskId = await generate(url, '{ prompt: "a long exposure", size: "1024x1024" }')
      asking.push(clock() - start)
      await fetchPicture(url, taskId).catch((error: unknown) => lost.push(`${taskId}: ${String(error)}`))
    }
  }
  await Promise.all(Array.from({ length: CLIENTS }, (_, nth) => client(nth)))

  const { p99Ms, longestMs, peakMb } = await gateway.ask('strain')
  const machine = await bystander.ask('strain')
  const calls = await studio.ask('calls')
  const askP99Ms = percentile(asking, 0.99)
  const isWell =
    lost.length === 0 &&
    calls === asking.length &&
    peakMb <= LIMITS.peakMb &&
    p99Ms <= LIMITS.p99Ms &&
    askP99Ms <= LIMITS.askP99Ms
  if (!isWell) process.exitCode = 1
  return [
    styleText(
      'bold',
      `flight · ${CLIENTS} calls in flight for ${minutes} min, each ${PACE.fromMs / 1000}–${PACE.toMs / 1000} s long with a PNG of ${PACE.megabytes} MB, on SQLite, against limits`,
    ),
    `  tasks ${count(asking.length)}, calls ${count(calls)}, lost ${lost.length}`,
    `  peak memory of the gateway   ${count(peakMb)} MB of ${LIMITS.peakMb}`,
    `  event-loop delay P99         ${p99Ms.toFixed(1)} ms of ${LIMITS.p99Ms}, the longest ${count(longestMs)} ms; of an idle process beside it ${machine.p99Ms.toFixed(1)} and ${count(machine.longestMs)} ms`,
    `  generateImage answered, P99  ${askP99Ms.toFixed(1)} ms of ${LIMITS.askP99Ms}`,
    ...lost.slice(0, 10).map((sentence) => `  ${sentence}`),
    '',
  ].join('\n')
}

/** Waits for a task's end and fetches its picture whole. */
async function fetchPicture(url: string, taskId: string): Promise<void> {
  await succeeded(url, taskId)
  const response = await ask(url, `{ task(id: "${taskId}") { images { url sha256 } } }`)
  const [image] = IMAGES.parse(await response.json()).data.task.images
  const bytes = Buffer.from(await (await fetch(image.url)).arrayBuffer())
  if (createHash('sha256').update(bytes).digest('hex') !== image.sha256)
    throw new Error('The picture is another.')
}

function count(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 0 })
}
