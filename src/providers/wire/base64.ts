/**
 * Decodes pieces of any length. Accepts both alphabets, missing padding, and the head of a data URL. Ignores other
 * characters (RFC 2045, 6.8) and all after the padding. The bytes are valid until the next call.
 */
export function createBase64Decoder() {
  let head: string | undefined = ''
  let carry = ''
  let padded = false
  // Reused: a new buffer for each piece fills memory faster than it is collected.
  let scratch: Buffer = NOTHING

  function withoutDataUrl(text: string): string {
    if (head === undefined) return text
    head += text
    const comma = head.indexOf(',')
    const isIncomplete = DATA_URL.startsWith(head) || (head.startsWith(DATA_URL) && comma < 0)
    if (isIncomplete && head.length <= MAX_HEAD) return ''
    const body = head.startsWith(DATA_URL) ? head.slice(comma + 1) : head
    head = undefined
    return body
  }

  function decode(text: string): Buffer {
    if (padded) return NOTHING
    const fill = carry === '' ? 0 : 4 - carry.length
    const size = carry.length + text.length
    if (scratch.length < size) scratch = Buffer.allocUnsafeSlow(size)
    if (size < 4) {
      carry = digitsIn(carry + text)
      return NOTHING
    }
    // Joined with the entire text, the carry would copy it.
    const first = fill === 0 ? 0 : scratch.write(carry + text.slice(0, fill), 'base64')
    const end = text.length - ((text.length - fill) % 4)
    const written = first + scratch.write(text.slice(fill, end), first, 'base64')
    // Node skips unknown characters.
    if (written < bytesIn(size)) return decodeDigits(digitsIn(carry + text))
    carry = text.slice(end)
    return scratch.subarray(0, written)
  }

  function decodeDigits(digits: string): Buffer {
    const end = digits.length - (digits.length % 4)
    carry = digits.slice(end)
    return scratch.subarray(0, scratch.write(digits.slice(0, end), 'base64'))
  }

  function digitsIn(text: string): string {
    const end = text.indexOf('=')
    padded ||= end >= 0
    return (end < 0 ? text : text.slice(0, end)).replaceAll(OTHERS, '')
  }

  return {
    write(text: string): Buffer {
      const body = withoutDataUrl(text)
      return body === '' ? NOTHING : decode(body)
    },
    end(): Buffer {
      const start = head === undefined ? NOTHING : decode(head)
      head = undefined
      const tail = Buffer.from(digitsIn(carry), 'base64')
      carry = ''
      return start.length === 0 ? tail : Buffer.concat([start, tail])
    },
  }
}

function bytesIn(digits: number): number {
  return Math.floor(digits / 4) * 3
}

const NOTHING: Buffer = Buffer.alloc(0)
const OTHERS = /[^A-Za-z0-9+/_-]+/g
const DATA_URL = 'data:'
const MAX_HEAD = 256
