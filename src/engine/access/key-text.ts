// How a key is written: dk_live_<handle>_<secret><checksum>. The prefix lets scanners of leaked secrets find it, and the
// checksum tells a mistyped key from an unknown one without a look into the database.
import { createHash, randomBytes, randomInt } from 'node:crypto'
import { crc32 } from 'node:zlib'

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const FORM = /^(dk_live_([0-9A-Za-z]{10})_([0-9A-Za-z]{43}))([0-9A-Za-z]{6})$/

/** A key, taken apart. */
export interface KeyText {
  /** Says which key it is, and is no secret. */
  handle: string
  /** 256 random bits. */
  secret: string
}

/** A new key: its parts, and the whole of it as its owner keeps it. */
export function newKeyText(): KeyText & { text: string } {
  const handle = Array.from({ length: 10 }, () => ALPHABET[randomInt(62)]).join('')
  const secret = base62(BigInt(`0x${randomBytes(32).toString('hex')}`), 43)
  const front = `dk_live_${handle}_${secret}`
  return { handle, secret, text: front + checksum(front) }
}

/** The parts of a key; undefined for what cannot be one, because of a typo for example. */
export function readKeyText(text: string): KeyText | undefined {
  const [, front, handle, secret, check] = FORM.exec(text) ?? []
  if (!front || !handle || !secret || check !== checksum(front)) return undefined
  return { handle, secret }
}

/** What is kept of a secret: it has too many bits to be guessed, so no slow hash is needed. */
export function hashOf(secret: string): Buffer {
  return createHash('sha256').update(secret).digest()
}

/** The beginning of a key, by which people tell it from others. */
export function prefixOf(handle: string): string {
  return `dk_live_${handle}`
}

/** Whether a text holds a key, or what looks like one: also when it was encoded for a URL. */
export function holdsKey(text: string): boolean {
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
