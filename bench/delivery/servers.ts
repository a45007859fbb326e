// The measured servers behind one interface: the gateway, and each peer.
import { z } from 'zod'
import { openChild, type Child } from '../child.ts'
import type { GatewayVerbs } from '../children/gateway.ts'
import type { Audience, ViewerVerbs } from '../children/viewers.ts'
import { generate } from '../graphql.ts'
import type { Pace } from '../pace.ts'
import type { PeerEvent, PeerVerbs } from '../peers/peer.ts'

export type Feed = 'taskFeed' | 'taskEvents'

export interface LiveServer {
  name: string
  url: string
  /** What a viewer subscribes to. */
  variables: Record<string, unknown>
  /** Publishes events, and returns the times. */
  send(pace: Pace): Promise<number[]>
  cpuMicros(): Promise<number>
  rssKb(): Promise<number>
  [Symbol.asyncDispose](): Promise<void>
}

const FIELDS = `__typename cursor at
  task { id status progress operation model prompt size quality outputFormat background n createdAt provider { name } }
  ... on TaskProgressed { progress }`

/** The document of a feed. Documents with different numbers differ, and their results have the same size. */
export function documentOf(feed: Feed, number = 0): string {
  const name = `Viewer${String(number).padStart(5, '0')}`
  return feed === 'taskFeed'
    ? `subscription ${name} { taskFeed { ${FIELDS} } }`
    : `subscription ${name}($taskId: ID!) { taskEvents(taskId: $taskId) { ${FIELDS} } }`
}

/** An event of about 500 bytes as JSON. */
const PROMPT = 'a paper boat on a quiet canal at dusk, with warm light in the windows'
/** No ping while viewers are stalled. */
const NO_PING_MS = 3_600_000

export interface ServerOptions {
  /** The size of an event is the size of its prompt and 430 bytes. */
  prompt?: string
  /** Keeps viewers that stop reading. */
  keepsStalled?: boolean
  databaseUrl?: string
}

export type Gateway = LiveServer & { child: Child<GatewayVerbs>; taskId: string }

/** A gateway with one task that runs, and whose provider makes progress on command. */
export async function openGateway(
  name: string,
  { prompt = PROMPT, keepsStalled = false, databaseUrl }: ServerOptions = {},
): Promise<Gateway> {
  const child = openChild<GatewayVerbs>('gateway')
  const url = await child.call('start', {
    providers: [{ name: 'manual', dialect: 'manual' }],
    engine: ENGINE,
    ...(keepsStalled && { slowClientTimeoutMs: NO_PING_MS }),
    ...(databaseUrl !== undefined && { databaseUrl }),
  })
  const taskId = await generate(
    `${url}/graphql`,
    `{ prompt: ${JSON.stringify(prompt)}, providers: ["manual"] }`,
  )
  await child.call('called')
  return { ...liveServer(name, url, child), child, taskId, variables: { taskId } }
}

/** Progress is not throttled, and polls are too rare to be of use: an event must arrive by a notification. */
export const ENGINE = { progressIntervalMs: 0, pollMs: 60_000 }

/** A peer that publishes `event`. */
export async function openPeer(
  name: string,
  event: PeerEvent,
  { keepsStalled = false }: ServerOptions = {},
): Promise<LiveServer> {
  const child = openChild<PeerVerbs>(name, 'peers')
  const url = await child.call('start', { event, ...(keepsStalled && { keepAliveMs: NO_PING_MS }) })
  return liveServer(name, url, child)
}

function liveServer(
  name: string,
  url: string,
  child: Child<Pick<PeerVerbs, 'send' | 'cpuMicros' | 'rssKb'>>,
): LiveServer {
  return {
    name,
    url,
    variables: {},
    send: (pace) => child.call('send', pace),
    cpuMicros: () => child.call('cpuMicros'),
    rssKb: () => child.call('rssKb'),
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  }
}

export type Viewers = Child<ViewerVerbs>

/** Opens viewers in a new process. Resolves when each receives the events. */
export async function openViewers(
  { url, variables, send }: Pick<LiveServer, 'url' | 'variables' | 'send'>,
  audience: Pick<Audience, 'transport' | 'count' | 'documents'>,
): Promise<Viewers> {
  const viewers = openChild<ViewerVerbs>('viewers')
  await viewers.call('open', { url, variables, ...audience })
  // Servers do not tell when a subscription has started.
  do {
    await send({ count: 1, everyMs: 0 })
    await viewers.call('quiet', QUIET_MS)
  } while (!(await viewers.call('haveAll')))
  return viewers
}

const QUIET_MS = 400

const MESSAGE = z.object({
  payload: z.object({ data: z.record(z.string(), z.record(z.string(), z.unknown())) }),
})

/** The event that the first viewer received last, without `data` and the name of the feed. */
export async function latestEvent(viewers: Viewers): Promise<PeerEvent> {
  const { payload } = MESSAGE.parse(JSON.parse(await viewers.call('latest')))
  const [event] = Object.values(payload.data)
  if (!event) throw new Error('The gateway delivered no event.')
  return event
}
