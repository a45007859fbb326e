// A TCP proxy between clients and gateways whose connections break, often inside a message and without a closing handshake.
import { connect, createServer, type Socket } from 'node:net'
import { listen } from '../providers/upstreams/listen.ts'

type Within = (chunk: Buffer) => number | undefined

/** When and how one connection breaks; never by default. */
export interface Cut {
  /** How many bytes of this chunk still reach the client; undefined for all. */
  within?: Within
  afterMs?: number
  /** True resets the connection, false closes it. */
  reset?: boolean
}

export interface FlakyProxy {
  /** Where clients connect. */
  url: string
  /** Breaks every open connection. */
  breakNow(): void
  /** Connections that were broken so far. */
  breakCount(): number
  close(): Promise<void>
}

/** Connects each client to the URL that `to` returns, and breaks the connection as `cut` returns. */
export async function startFlakyProxy(to: () => string, cut: () => Cut): Promise<FlakyProxy> {
  const open = new Set<Socket>()
  const breaks = new Set<() => void>()
  let breakCount = 0
  const server = createServer((client) => {
    const { hostname, port } = new URL(to())
    const upstream = connect({ host: hostname, port: Number(port), noDelay: true })
    const { within, afterMs, reset = false } = cut()
    let timer: NodeJS.Timeout | undefined
    const both = [client, upstream]
    const end = () => both.forEach((socket) => socket.destroy())
    const breakOff = () => {
      if (!breaks.delete(breakOff)) return
      breakCount++
      both.forEach((socket) => (reset ? socket.resetAndDestroy() : socket.destroy()))
    }
    breaks.add(breakOff)
    for (const socket of both) {
      open.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => {
        open.delete(socket)
        breaks.delete(breakOff)
        clearTimeout(timer)
        end()
      })
    }
    client.setNoDelay(true).pipe(upstream)
    upstream.on('data', (chunk: Buffer) => {
      const left = within?.(chunk)
      if (left === undefined) {
        if (!client.write(chunk)) upstream.pause()
      } else {
        upstream.pause()
        client.write(chunk.subarray(0, left), breakOff)
      }
    })
    client.on('drain', () => upstream.resume())
    upstream.on('end', () => client.end())
    if (afterMs !== undefined) timer = setTimeout(breakOff, afterMs)
  })
  return {
    url: await listen(server),
    breakCount: () => breakCount,
    breakNow: () => breaks.forEach((breakOff) => breakOff()),
    close() {
      for (const socket of open) socket.destroy()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}

/** Breaks after this number of bytes. */
export function afterBytes(bytes: number): Within {
  let left = bytes
  return (chunk) => {
    if (chunk.length > left) return left
    left -= chunk.length
    return undefined
  }
}

/** Breaks in the middle of the nth message that has a cursor, from 1. */
export function insideMessage(nth: number): Within {
  let passed = ''
  let left = nth
  return (chunk) => {
    const known = passed.length
    const text = passed + chunk.toString('latin1')
    for (let at = text.indexOf(MARK); at !== -1; at = text.indexOf(MARK, at + MARK.length)) {
      if (--left === 0) return Math.max(0, at + MARK.length - known)
    }
    // The possible beginning of the next mark.
    passed = text.slice(-(MARK.length - 1))
    return undefined
  }
}

const MARK = '"cursor"'
