// Reads the frames of a WebSocket server at little cost: lengths instead of messages.

export interface FrameHandlers {
  /** A complete message. `payload` is undefined when it arrived in several parts. */
  onText: (payload: Buffer | undefined) => void
  onPing: (payload: Buffer) => void
}

const [TEXT, PING] = [1, 9]
/** Zero: the payload stays as it is. */
const MASK_KEY = Buffer.alloc(4)

/** Takes the bytes of a connection after the handshake, in order. Servers do not mask frames. */
export function createFrameReader({ onText, onPing }: FrameHandlers): (bytes: Buffer) => void {
  /** Of a payload whose first bytes have arrived. */
  let missing = 0
  let opcode = 0
  let head: Buffer | undefined

  return function read(arrived) {
    let bytes = arrived
    if (head) {
      bytes = Buffer.concat([head, arrived])
      head = undefined
    }
    let at = Math.min(missing, bytes.length)
    if (missing > 0) {
      missing -= at
      if (missing === 0 && opcode === TEXT) onText(undefined)
    }
    while (at < bytes.length) {
      const short = (bytes[at + 1] ?? 0) & 127
      const headBytes = short < 126 ? 2 : short === 126 ? 4 : 10
      if (at + headBytes > bytes.length) {
        head = Buffer.from(bytes.subarray(at))
        return
      }
      opcode = (bytes[at] ?? 0) & 15
      const length =
        short < 126
          ? short
          : short === 126
            ? bytes.readUInt16BE(at + 2)
            : Number(bytes.readBigUInt64BE(at + 2))
      const start = at + headBytes
      at = Math.min(start + length, bytes.length)
      missing = start + length - at
      if (missing > 0) return
      const payload = bytes.subarray(start, at)
      if (opcode === TEXT) onText(payload)
      else if (opcode === PING) onPing(payload)
    }
  }
}

/** A frame of a client with less than 64 KB. */
export function frameOf(kind: 'text' | 'pong', payload: Buffer): Buffer {
  const { length } = payload
  const first = 0x80 | (kind === 'text' ? TEXT : 10)
  const head =
    length < 126
      ? Buffer.from([first, 0x80 | length])
      : Buffer.from([first, 0x80 | 126, length >> 8, length & 255])
  return Buffer.concat([head, MASK_KEY, payload])
}
