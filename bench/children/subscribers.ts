// Many clients in one process. To cost little, they only count and time the messages.
import { WebSocket } from 'ws'
import { serve, clock } from '../child.ts'

interface Group {
  sockets: WebSocket[]
  /** The time of each message, by socket. */
  arrivals: number[][]
  /** The latest message of the first socket. */
  latest: string
}

const groups = new Map<string, Group>()

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
    const group: Group = { sockets: [], arrivals: [], latest: '' }
    groups.set(name, group)
    // In batches, because the backlog of new connections is limited.
    for (let i = 0; i < count; i += 50) {
      const batch = Array.from({ length: Math.min(50, count - i) }, () => join(group, url, subscribe))
      await Promise.all(batch)
    }
  },

  /** Waits until each socket has `count` messages since the last `take`. */
  async arrived({ name, count }: { name: string; count: number }): Promise<void> {
    const { arrivals } = get(name)
    const deadline = clock() + 60_000
    while (arrivals.some((own) => own.length < count)) {
      if (clock() > deadline)
        throw new Error(`Some of ${arrivals.length} clients have fewer than ${count} messages.`)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  },

  /** The delay of each message to each socket, from the times of sending. */
  take({ name, sent }: { name: string; sent: readonly number[] }): Float64Array {
    const { arrivals } = get(name)
    const delays = arrivals.flatMap((own) => own.map((at, i) => at - (sent[i] ?? Number.NaN)))
    for (const own of arrivals) own.length = 0
    return Float64Array.from(delays)
  },

  latest: (name: string) => get(name).latest,

  close(name: string): void {
    for (const socket of get(name).sockets) socket.terminate()
    groups.delete(name)
  },
}

export type SubscriberVerbs = typeof verbs

serve(verbs)

function get(name: string): Group {
  const group = groups.get(name)
  if (!group) throw new Error(`There is no group ${name}.`)
  return group
}

/** Resolves when the socket is open and, with a subscription, has received the snapshot. */
async function join(group: Group, url: string, subscribe: object | undefined): Promise<void> {
  const socket = new WebSocket(url, subscribe ? ['graphql-transport-ws'] : [], { perMessageDeflate: false })
  const isFirst = group.sockets.push(socket) === 1
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
  group.arrivals.push(own)
  socket.on('message', (data: Buffer) => {
    own.push(clock())
    if (isFirst) group.latest = data.toString()
  })
}
