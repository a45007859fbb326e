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
    let whole = carry + text
    let bytes = decodeGroups(whole)
    // Node skips unknown characters.
    if (bytes.length < bytesIn(whole)) {
      whole = digitsIn(whole)
      bytes = decodeGroups(whole)
    }
    carry = whole.slice(whole.length - (whole.length % 4))
    return bytes
  }

  function decodeGroups(text: string): Buffer {
    const digits = text.slice(0, text.length - (text.length % 4))
    if (scratch.length < digits.length) scratch = Buffer.allocUnsafeSlow(digits.length)
    return scratch.subarray(0, scratch.write(digits, 'base64'))
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

function bytesIn(text: string): number {
  return Math.floor(text.length / 4) * 3
}

const NOTHING: Buffer = Buffer.alloc(0)
const OTHERS = /[^A-Za-z0-9+/_-]+/g
const DATA_URL = 'data:'
const MAX_HEAD = 256
