import { randomBytes } from 'node:crypto'

export type IdPrefix = 'task' | 'att' | 'img' | 'prj' | 'wrk' | 'aud' | 'whk' | 'dlv' | 'key' | 'led'

// Crockford's base32: no I, L, O, U, to avoid misreading.
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

/** A prefixed ULID such as `task_01K9…` (https://github.com/ulid/spec): sorts by creation time. */
export function newId(prefix: IdPrefix, now: number): string {
  let time = ''
  for (let value = now, i = 0; i < 10; i++) {
    time = ALPHABET[value % 32] + time
    value = Math.floor(value / 32)
  }
  const random = Array.from(randomBytes(16), (byte) => ALPHABET[byte % 32]).join('')
  return `${prefix}_${time}${random}`
}

/** The prefix of a well-formed id, else undefined. */
export function idPrefix(id: string): string | undefined {
  return /^([a-z]+)_[0-9A-HJKMNP-TV-Z]{26}$/.exec(id)?.[1]
}
