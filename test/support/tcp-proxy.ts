// A TCP proxy in front of a database, whose connections can be delayed, swallowed, reset and refused.
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

export interface TcpProxy {
  /** The URL of the database behind the proxy. */
  url: string
  /** From now on, bytes of all connections are swallowed and no connection ends. New ones are accepted. */
  swallow(): void
  /** Old connections stay swallowed, new ones work. */
  heal(): void
  /** Resets all connections, and new ones at once. */
  reset(): void
  /** Delays every chunk in both directions. */
  delay(ms: number): void
  connectionCount(): number
  close(): Promise<void>
}

interface Pair {
  isSwallowed: boolean
  sockets: [Socket, Socket]
}

export async function startTcpProxy(databaseUrl: string): Promise<TcpProxy> {
  const to = new URL(databaseUrl)
  const pairs = new Set<Pair>()
  let mode: 'PASS' | 'SWALLOW' | 'RESET' = 'PASS'
  let delayMs = 0

  const server = createServer({ allowHalfOpen: true }, (client) => {
    if (mode === 'RESET') {
      client.resetAndDestroy()
      return
    }
    const upstream = connect({ host: to.hostname, port: Number(to.port), noDelay: true })
    const pair: Pair = { isSwallowed: mode === 'SWALLOW', sockets: [client, upstream] }
    pairs.add(pair)
    const pass = (from: Socket, into: Socket) => {
      from.on('data', (chunk: Buffer) => {
        if (pair.isSwallowed) return
        if (delayMs === 0) into.write(chunk)
        else setTimeout(() => into.write(chunk), delayMs)
      })
      from.on('error', () => {})
      from.on('close', () => {
        if (pair.isSwallowed) return
        pairs.delete(pair)
        into.destroy()
      })
      from.on('end', () => !pair.isSwallowed && into.end())
    }
    pass(client.setNoDelay(true), upstream)
    pass(upstream, client)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = new URL(databaseUrl)
  url.port = String((server.address() as AddressInfo).port)

  return {
    url: url.href,
    swallow() {
      mode = 'SWALLOW'
      for (const pair of pairs) pair.isSwallowed = true
    },
    heal() {
      mode = 'PASS'
      delayMs = 0
    },
    reset() {
      mode = 'RESET'
      for (const { sockets } of pairs) sockets.forEach((socket) => socket.resetAndDestroy())
    },
    delay(ms) {
      delayMs = ms
    },
    connectionCount: () => pairs.size,
    close() {
      for (const { sockets } of pairs) sockets.forEach((socket) => socket.destroy())
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}
