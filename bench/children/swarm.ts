// Many clients in one process, with as little of their own as possible: bytes are not parsed, only counted and timed.
import { WebSocket } from 'ws'
import { answer, clock } from '../child.ts'

interface Swarm {
  sockets: WebSocket[]
  /** When each message came, by socket. */
  arrivals: number[][]
  /** The latest message of the first socket. */
  latest: string
}

const swarms = new Map<string, Swarm>()

const verbs = {
  /** Opens `count` sockets; with a query, each subscribes to it in the graphql-transport-ws protocol. */
  async open({
    name,
    url,
    count,
    subscribe,
  }: {
    name: string
    url: string
    count: number
    subscribe?: object
  }): Promise<void> {
    const swarm: Swarm = { sockets: [], arrivals: [], latest: '' }
    swarms.set(name, swarm)
    // In flocks, so that the server's backlog of new connections does not overflow.
    for (let i = 0; i < count; i += 50) {
      const flock = Array.from({ length: Math.min(50, count - i) }, () => join(swarm, url, subscribe))
      await Promise.all(flock)
    }
  },

  /** Waits until each socket has got `count` messages since the last `take`. */
  async arrived({ name, count }: { name: string; count: number }): Promise<void> {
    const { arrivals } = get(name)
    const deadline = clock() + 60_000
    while (arrivals.some((own) => own.length < count)) {
      if (clock() > deadline)
        throw new Error(`Some of ${arrivals.length} clients have not got ${count} messages.`)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  },

  /** How long each message was on its way to each socket, given when each was sent. */
  take({ name, sent }: { name: string; sent: readonly number[] }): Float64Array {
    const { arrivals } = get(name)
    const delays = arrivals.flatMap((own) => own.map((at, i) => at - (sent[i] ?? Number.NaN)))
    for (const own of arrivals) own.length = 0
    return Float64Array.from(delays)
  },

  latest: (name: string) => get(name).latest,

  close(name: string): void {
    for (const socket of get(name).sockets) socket.terminate()
    swarms.delete(name)
  },
}

export type SwarmVerbs = typeof verbs

answer(verbs)

function get(name: string): Swarm {
  const swarm = swarms.get(name)
  if (!swarm) throw new Error(`There is no swarm ${name}.`)
  return swarm
}

/** Resolves when the socket is open and, with a subscription, has been told the snapshot. */
async function join(swarm: Swarm, url: string, subscribe: object | undefined): Promise<void> {
  const socket = new WebSocket(url, subscribe ? ['graphql-transport-ws'] : [], { perMessageDeflate: false })
  const isFirst = swarm.sockets.push(socket) === 1
  const own: number[] = []
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject)
    if (subscribe) {
      socket.once('open', () => socket.send('{"type":"connection_init"}'))
      socket.once('message', () => {
        socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: subscribe }))
        socket.once('message', () => resolve())
      })
    } else socket.once('open', () => resolve())
  })
  swarm.arrivals.push(own)
  socket.on('message', (data: Buffer) => {
    own.push(clock())
    if (isFirst) swarm.latest = data.toString()
  })
}
