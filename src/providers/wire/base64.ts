import { MalformedImage } from './malformed.ts'

/**
 * Accepts both alphabets, missing padding, line breaks, and the head of a data URL. Throws MalformedImage. The bytes are
 * valid until the next call.
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
    if (DATA_URL.startsWith(head)) return ''
    const comma = head.indexOf(',')
    if (head.startsWith(DATA_URL) && comma < 0) {
      if (head.length <= MAX_HEAD) return ''
      throw new MalformedImage(`has an image whose data URL head exceeds ${MAX_HEAD} characters`)
    }
    const body = head.startsWith(DATA_URL) ? head.slice(comma + 1) : head
    head = undefined
    return body
  }

  function decode(text: string): Buffer {
    if (padded) return nothingAfterPadding(text)
    let whole = carry + text
    let bytes = decodeGroups(whole)
    // Node's decoder skips unknown characters.
    if (bytes.length < bytesIn(whole)) {
      whole = withoutFormatting(whole)
      bytes = decodeGroups(whole)
      if (bytes.length < bytesIn(whole)) throw new MalformedImage('has an image whose base64 is invalid')
    }
    carry = whole.slice(whole.length - (whole.length % 4))
    return bytes
  }

  function decodeGroups(text: string): Buffer {
    const digits = text.slice(0, text.length - (text.length % 4))
    if (scratch.length < digits.length) scratch = Buffer.allocUnsafeSlow(digits.length)
    return scratch.subarray(0, scratch.write(digits, 'base64'))
  }

  function withoutFormatting(text: string): string {
    const plain = text.replaceAll(SPACE, '')
    const end = plain.indexOf('=')
    if (end < 0) return plain
    padded = true
    nothingAfterPadding(plain.slice(end))
    return plain.slice(0, end)
  }

  return {
    write(text: string): Buffer {
      const body = withoutDataUrl(text)
      return body === '' ? NOTHING : decode(body)
    },
    end(): Buffer {
      const start = head === undefined ? NOTHING : decode(head)
      head = undefined
      const rest = padded ? carry : withoutFormatting(carry)
      carry = ''
      if (rest.length % 4 === 1) throw new MalformedImage('has an image whose base64 is incomplete')
      const tail = Buffer.from(rest, 'base64')
      if (tail.length < Math.floor((rest.length * 3) / 4)) {
        throw new MalformedImage('has an image whose base64 is invalid')
      }
      return start.length === 0 ? tail : Buffer.concat([start, tail])
    },
  }
}

function bytesIn(text: string): number {
  return Math.floor(text.length / 4) * 3
}

function nothingAfterPadding(text: string): Buffer {
  if (text.replaceAll(SPACE, '').replaceAll('=', '') === '') return NOTHING
  throw new MalformedImage('has an image whose base64 continues after its padding')
}

const NOTHING: Buffer = Buffer.alloc(0)
const SPACE = /[\t\n\r ]+/g
const DATA_URL = 'data:'
const MAX_HEAD = 256
