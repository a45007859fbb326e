// The gateway, embedded in the process that requests images and watches their tasks; and direct calls of the upstream.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Pool } from 'undici'
import { z } from 'zod'
import { loadConfig } from '../../src/config/config.ts'
import { createGateway, type Gateway } from '../../src/gateway.ts'
import { createLog } from '../../src/log.ts'
import { dialects } from '../../src/providers/index.ts'
import { serve, clock, cpuMicros } from '../child.ts'

interface Load {
  image: string
  inFlight: number
  requests: number
}

/** When each request was complete, by its number. */
interface Result {
  ends: Map<number, number>
  elapsedMs: number
  cpuMicros: number
}

const MAX_IN_FLIGHT = 64
const GENERATE = 'mutation ($input: GenerateImageInput!) { generateImage(input: $input) { task { id } } }'
const CREATED = z.object({
  data: z.object({ generateImage: z.object({ task: z.object({ id: z.string() }) }) }),
})
const EVENT = z.object({
  data: z.object({
    taskFeed: z.object({ __typename: z.string(), task: z.object({ id: z.string(), status: z.string() }) }),
  }),
})
const REPLY = z.object({ data: z.tuple([z.object({ b64_json: z.string() })]) })

const dataDir = await mkdtemp(join(tmpdir(), 'darkroom-bench-'))
const finished = new Map<string, PromiseWithResolvers<number>>()
let gateway: Gateway | undefined
let upstream: Pool | undefined
let number = 0

const verbs = {
  /** Starts the gateway in front of an upstream, and watches the feed of the project. */
  async start({ baseUrl, databaseUrl }: { baseUrl: string; databaseUrl?: string }): Promise<void> {
    const provider = { name: 'upstream', dialect: 'openai', mode: 'sync', apiKey: 'bench', baseUrl }
    const file = join(dataDir, 'bench.json')
    const providers = [{ ...provider, concurrency: MAX_IN_FLIGHT }]
    await writeFile(file, JSON.stringify({ dataDir, databaseUrl, logLevel: 'silent', providers }))
    const config = await loadConfig({ env: { DARKROOM_CONFIG: file }, cwd: dataDir, dialects })
    gateway = await createGateway(config, { log: createLog('silent') })
    await gateway.work()
    upstream = new Pool(new URL(baseUrl).origin, { connections: MAX_IN_FLIGHT, pipelining: 1 })
    const feed = await ask('subscription { taskFeed { __typename task { id status } } }', 'text/event-stream')
    // It breaks off when the gateway stops.
    watch(feed).catch((error: unknown) => {
      for (const { reject } of finished.values()) reject(error)
    })
  },

  /** From the mutation to TaskFinished. */
  gateway: (load: Load) =>
    measure(load, async (prompt) => {
      const input = { prompt, size: '1024x1024', quality: 'LOW' }
      const response = await ask(GENERATE, 'application/json', { input })
      return endOf(CREATED.parse(await response.json()).data.generateImage.task.id).promise
    }),

  /** From the request to the decoded image, in memory. */
  direct: (load: Load) =>
    measure(load, async (prompt) => {
      const { body } = await upstream!.request({
        method: 'POST',
        path: '/v1/images/generations',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ model: 'gpt-image-2', prompt, size: '1024x1024', quality: 'low' }),
      })
      const [image] = REPLY.parse(await body.json()).data
      if (Buffer.from(image.b64_json, 'base64').length === 0) throw new Error('There is no image.')
      return clock()
    }),
}

export type RoundTripVerbs = typeof verbs

serve(verbs, async () => {
  await gateway?.stop({ deadlineMs: 0 })
  await upstream?.close()
  await rm(dataDir, { recursive: true, force: true })
})

/** Runs `requests` calls, `inFlight` at a time. */
async function measure(
  { image, inFlight, requests }: Load,
  call: (prompt: string) => Promise<number>,
): Promise<Result> {
  const ends = new Map<number, number>()
  let left = requests
  async function client(): Promise<void> {
    while (left-- > 0) {
      const own = ++number
      ends.set(own, await call(`image ${image} ${own}`))
    }
  }
  const cpu = cpuMicros()
  const start = clock()
  await Promise.all(Array.from({ length: inFlight }, client))
  return { ends, elapsedMs: clock() - start, cpuMicros: cpuMicros() - cpu }
}

function ask(query: string, accept: string, variables = {}): Promise<Response> {
  const headers = { 'content-type': 'application/json', accept }
  const body = JSON.stringify({ query, variables })
  return gateway!.fetch(new Request('http://localhost/graphql', { method: 'POST', headers, body }))
}

/** An event may arrive before the response of the mutation. */
function endOf(taskId: string): PromiseWithResolvers<number> {
  const known = finished.get(taskId)
  if (known) {
    finished.delete(taskId)
    return known
  }
  const end = Promise.withResolvers<number>()
  finished.set(taskId, end)
  return end
}

async function watch(response: Response): Promise<void> {
  let text = ''
  for await (const piece of response.body!.pipeThrough(new TextDecoderStream())) {
    const now = clock()
    const lines = (text + piece).split('\n')
    text = lines.pop() ?? ''
    for (const line of lines) {
      if (!line.startsWith('data: {')) continue
      const { __typename, task } = EVENT.parse(JSON.parse(line.slice('data: '.length))).data.taskFeed
      if (__typename !== 'TaskFinished') continue
      if (task.status === 'SUCCEEDED') endOf(task.id).resolve(now)
      else endOf(task.id).reject(new Error(`The task ${task.id} is ${task.status}.`))
    }
  }
}
