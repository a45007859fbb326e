// A server for the page Live that plays tasks at any rate: the real page, schema and protocol, without painting and without a
// database.
import { readFileSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import { useServer } from 'graphql-ws/use/ws'
import { createSchema, createYoga } from 'graphql-yoga'
import sharp from 'sharp'
import { WebSocketServer } from 'ws'
import { createDashboardRoute } from '../../src/http/dashboard.ts'
import { newId } from '../../src/ids.ts'
import { thumbhash } from '../../src/assets/decode.ts'
import { listen } from '../providers/upstreams/listen.ts'
import { createRandom } from '../support/random.ts'

export interface FeedPlayer {
  url: string
  /** Creates tasks until `count` were, at `perMinute`. They end on their own. */
  play(count: number, perMinute: number): Promise<void>
  /** Of this server so far. */
  counts(): { tasks: number; events: number; ended: number }
  [Symbol.asyncDispose](): Promise<void>
}

interface Picture {
  id: string
  width: number
  height: number
  thumbhash: string
  url: (arguments_: { width?: number | null }) => string
}

interface PlayedTask {
  id: string
  status: string
  revision: number
  progress: number
  startedAt: string | null
  finishedAt: string | null
  images: Picture[]
  partialImages: { index: number; at: string; image: Picture }[]
  [field: string]: unknown
}

/** A list has at most 100 tasks. */
const MAX_TASKS = 200
const PICTURES = 24
const PREVIEWS = 3
const EDGE = 1024
const PROMPTS = [
  'a lighthouse at dusk',
  'a glass ferry in fog',
  'an orchard in snow',
  'a red kite over dunes',
]
/** With 3 previews and the other events of a task, about 15 events each. */
const PROGRESS_EVENTS = 8

/** `durationMs`: of each task, half to twice as long. */
export async function startFeedPlayer({ durationMs = 6_000 } = {}): Promise<FeedPlayer> {
  const random = createRandom('feed player')
  const pictures = await Promise.all(Array.from({ length: PICTURES }, (_, index) => paint(index)))
  const tasks: PlayedTask[] = []
  const listeners = new Set<(event: object) => void>()
  const totals = { tasks: 0, events: 0, ended: 0 }
  const closing = new AbortController()
  let cursor = 0

  function send(__typename: string, task: PlayedTask, fields: object = {}): void {
    totals.events++
    task.revision++
    const at = new Date().toISOString()
    const event = { __typename, cursor: `c${++cursor}`, at, task: { ...task }, ...fields }
    for (const listener of listeners) listener(event)
  }

  function pictureOf(): Picture {
    const index = Math.floor(random.next() * PICTURES)
    const id = newId('img', Date.now())
    const path = `/assets/${id}.${index}.webp`
    return {
      id,
      width: EDGE,
      height: EDGE,
      thumbhash: pictures[index]!.thumbhash,
      url: ({ width }) => `${path}?width=${width ?? EDGE}`,
    }
  }

  async function run(): Promise<void> {
    const task: PlayedTask = {
      __typename: 'Task',
      id: newId('task', Date.now()),
      revision: 0,
      status: 'QUEUED',
      operation: 'GENERATE',
      prompt: random.pick(PROMPTS),
      model: 'gpt-image-2',
      size: '1024x1024',
      quality: 'LOW',
      n: 1,
      user: null,
      apiKeyId: null,
      progress: 0,
      charged: 'NO',
      costMicros: null,
      cancelRequested: false,
      createdAt: now(),
      startedAt: null,
      finishedAt: null,
      provider: { name: 'sandbox' },
      error: null,
      warnings: [],
      images: [],
      partialImages: [],
    }
    totals.tasks++
    tasks.unshift(task)
    tasks.length = Math.min(tasks.length, MAX_TASKS)
    send('TaskQueued', task)
    task.status = 'RUNNING'
    task.startedAt = now()
    send('AttemptStarted', task)
    const steps = PROGRESS_EVENTS + PREVIEWS
    const stepMs = (durationMs * (0.5 + random.next() * 1.5)) / steps
    for (let step = 1; step <= steps; step++) {
      await pause(stepMs, undefined, { signal: closing.signal, ref: false })
      task.progress = step / (steps + 1)
      if (step % 4 === 0 && task.partialImages.length < PREVIEWS) {
        const preview = { index: task.partialImages.length, at: now(), image: pictureOf() }
        task.partialImages = [...task.partialImages, preview]
        send('PartialImageReceived', task, { partialImage: preview })
      } else send('TaskProgressed', task, { progress: task.progress })
    }
    Object.assign(task, { status: 'SUCCEEDED', progress: 1, charged: 'YES', costMicros: 11_870 })
    task.finishedAt = now()
    task.images = [pictureOf()]
    send('AttemptEnded', task)
    totals.ended++
    send('TaskFinished', task, { status: 'SUCCEEDED' })
  }

  async function* feed() {
    const queue: object[] = []
    let wake: (() => void) | undefined
    const listener = (event: object) => {
      queue.push(event)
      wake?.()
    }
    listeners.add(listener)
    try {
      while (!closing.signal.aborted) {
        for (let event = queue.shift(); event; event = queue.shift()) yield { taskFeed: event }
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    } finally {
      listeners.delete(listener)
    }
  }

  const schema = createSchema({
    typeDefs: readFileSync('schema.graphql', 'utf8'),
    resolverValidationOptions: { requireResolversForResolveType: 'ignore' },
    resolvers: {
      Query: {
        viewer: () => ({
          scopes: ['GENERATE', 'READ'],
          isOperator: false,
          isOpen: false,
          project: { id: 'prj_1', name: 'default' },
          server: { version: '0.0.0', database: 'none', publicUrl: url },
        }),
        project: () => ({ id: 'prj_1', name: 'default', keys: { nodes: [] } }),
        providers: () => [],
        reviewSummary: () => ({ outcomeUnknown: 0, costUnknown: 0, costEstimated: 0, heldMicros: 0 }),
        task: (_: unknown, { id }: { id: string }) => tasks.find((one) => one.id === id),
        tasks: (_: unknown, { first, after }: { first?: number; after?: string }) => {
          const start = after === undefined ? 0 : tasks.findIndex(({ id }) => id === after) + 1
          const nodes = tasks.slice(start, start + (first ?? 50))
          return {
            feedCursor: `c${cursor}`,
            nodes,
            pageInfo: { endCursor: nodes.at(-1)?.id, hasNextPage: start + nodes.length < tasks.length },
          }
        },
      },
      Subscription: { taskFeed: { subscribe: feed } },
    },
  })
  const yoga = createYoga({ schema, logging: false })
  const route = createDashboardRoute({ folder: 'dashboard/dist', publicUrl: null, redirectsAssets: false })
  const server = createServer((request, response) => {
    const [, index] = /^\/assets\/\w+\.(\d+)\.webp/.exec(request.url ?? '') ?? []
    if (index !== undefined) serveImage(response, pictures[Number(index)]!, request.url!)
    else if (request.url === '/graphql') void yoga(request, response)
    else void servePage(response, request.url ?? '/', request.headers.accept ?? '')
  })
  const sockets = new WebSocketServer({ server, path: '/graphql' })
  useServer({ schema }, sockets)
  const url = await listen(server)

  async function servePage(response: ServerResponse, path: string, accept: string): Promise<void> {
    const page = await route(new Request(url + path, { headers: { accept } }), () => ({
      address: '127.0.0.1',
      origin: url,
    }))
    if (!page) return void response.writeHead(404).end()
    response.writeHead(page.status, Object.fromEntries(page.headers))
    response.end(Buffer.from(await page.arrayBuffer()))
  }

  return {
    url,
    async play(count, perMinute) {
      const start = performance.now()
      for (let index = 0; index < count && !closing.signal.aborted; index++) {
        const dueMs = (index * 60_000) / perMinute - (performance.now() - start)
        if (dueMs > 0) await pause(dueMs)
        run().catch(() => {})
      }
    },
    counts: () => ({ ...totals }),
    async [Symbol.asyncDispose]() {
      closing.abort()
      for (const socket of sockets.clients) socket.terminate()
      sockets.close()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

interface Painted {
  thumbhash: string
  /** By width in pixels. */
  files: ReadonlyMap<number, Buffer>
}

function now(): string {
  return new Date().toISOString()
}

/** A gradient with some noise, as large as a photograph of its size. */
async function paint(index: number): Promise<Painted> {
  const hue = Math.round((360 * index) / PICTURES)
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${EDGE}" height="${EDGE}">
    <linearGradient id="g" x2="1" y2="1"><stop stop-color="hsl(${hue} 60% 70%)"/>
    <stop offset="1" stop-color="hsl(${(hue + 70) % 360} 50% 25%)"/></linearGradient>
    <filter id="n"><feTurbulence baseFrequency=".02" numOctaves="4" seed="${index}"/></filter>
    <rect width="100%" height="100%" fill="url(#g)"/>
    <rect width="100%" height="100%" filter="url(#n)" opacity=".35"/></svg>`
  const png = await sharp(Buffer.from(svg)).png().toBuffer()
  const widths = [320, 640, EDGE]
  const files = await Promise.all(
    widths.map(async (width) => [width, await sharp(png).resize(width).webp().toBuffer()] as const),
  )
  return { thumbhash: await thumbhash(png), files: new Map(files) }
}

function serveImage(response: ServerResponse, { files }: Painted, path: string): void {
  const asked = Number(new URL(path, 'http://localhost').searchParams.get('width'))
  const width = [...files.keys()].find((one) => one >= asked) ?? EDGE
  response.setHeader('content-type', 'image/webp')
  response.setHeader('cache-control', 'private, max-age=900, immutable')
  response.end(files.get(width))
}
