// A line between clients and gateways that breaks, in the middle of a message as likely as not, as it does in lifts and
// tunnels. Neither end says goodbye.
import { connect, createServer, type Socket } from 'node:net'
import { listen } from '../providers/upstreams/listen.ts'

type Within = (piece: Buffer) => number | undefined

/** When and how one connection breaks. Without a moment it holds. */
export interface Cut {
  /** How many bytes of this piece, on its way to the client, still get through; undefined lets all of it through. */
  within?: Within
  afterMs?: number
  /** True resets the connection, false closes it. */
  reset?: boolean
}

export interface Line {
  /** Where clients connect. */
  url: string
  /** Breaks every connection that is open. */
  breakNow(): void
  close(): Promise<void>
}

/** Leads each new connection `to` a gateway's URL, asked for anew each time, and breaks it as `cut` says. */
export async function startLine(to: () => string, cut: () => Cut): Promise<Line> {
  const open = new Set<Socket>()
  const breaks = new Set<() => void>()
  const server = createServer((near) => {
    const { hostname, port } = new URL(to())
    const far = connect({ host: hostname, port: Number(port), noDelay: true })
    const { within, afterMs, reset = false } = cut()
    let timer: NodeJS.Timeout | undefined
    const both = [near, far]
    const end = () => both.forEach((socket) => socket.destroy())
    const breakOff = () => {
      if (!breaks.delete(breakOff)) return
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
    near.setNoDelay(true).pipe(far)
    far.on('data', (piece: Buffer) => {
      const left = within?.(piece)
      if (left === undefined) {
        if (!near.write(piece)) far.pause()
      } else {
        far.pause()
        near.write(piece.subarray(0, left), breakOff)
      }
    })
    near.on('drain', () => far.resume())
    far.on('end', () => near.end())
    if (afterMs !== undefined) timer = setTimeout(breakOff, afterMs)
  })
  return {
    url: await listen(server),
    breakNow: () => breaks.forEach((breakOff) => breakOff()),
    close() {
      for (const socket of open) socket.destroy()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}

/** Breaks behind so many bytes. */
export function afterBytes(bytes: number): Within {
  let left = bytes
  return (piece) => {
    if (piece.length > left) return left
    left -= piece.length
    return undefined
  }
}

/** Breaks in the middle of the nth message that has a cursor, from 1. */
export function insideMessage(nth: number): Within {
  let passed = ''
  let left = nth
  return (piece) => {
    const known = passed.length
    const text = passed + piece.toString('latin1')
    for (let at = text.indexOf(MARK); at !== -1; at = text.indexOf(MARK, at + MARK.length)) {
      if (--left === 0) return Math.max(0, at + MARK.length - known)
    }
    // Only as much as could be the beginning of the next one.
    passed = text.slice(-(MARK.length - 1))
    return undefined
  }
}

const MARK = '"cursor"'
