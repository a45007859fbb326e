// dk_live_<handle>_<secret><checksum>. Secret scanners find the prefix; the checksum detects typos without a database.
import { createHash, randomBytes, randomInt } from 'node:crypto'
import { crc32 } from 'node:zlib'

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const FORMAT = /^(dk_live_([0-9A-Za-z]{10})_([0-9A-Za-z]{43}))([0-9A-Za-z]{6})$/

export interface KeyText {
  /** Not secret. */
  handle: string
  secret: string
}

export function newKeyText(): KeyText & { text: string } {
  const handle = Array.from({ length: 10 }, () => ALPHABET[randomInt(62)]).join('')
  const secret = base62(BigInt(`0x${randomBytes(32).toString('hex')}`), 43)
  const front = `dk_live_${handle}_${secret}`
  return { handle, secret, text: front + checksum(front) }
}

/** Undefined for a wrong format or checksum. */
export function readKeyText(text: string): KeyText | undefined {
  const [, front, handle, secret, check] = FORMAT.exec(text) ?? []
  if (!front || !handle || !secret || check !== checksum(front)) return undefined
  return { handle, secret }
}

/** A fast hash is enough for 256 random bits. */
export function hashOf(secret: string): Buffer {
  return createHash('sha256').update(secret).digest()
}

export function prefixOf(handle: string): string {
  return `dk_live_${handle}`
}

/** Also percent-encoded. */
export function containsKey(text: string): boolean {
  return /dk(?:_|%5f)(?:live|admin)(?:_|%5f)[\w%-]{6}/i.test(text)
}

function checksum(text: string): string {
  return base62(BigInt(crc32(text)), 6)
}

function base62(value: bigint, length: number): string {
  let text = ''
  for (let rest = value; text.length < length; rest /= 62n) text = ALPHABET[Number(rest % 62n)] + text
  return text
}
