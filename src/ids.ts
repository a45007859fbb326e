import { randomFillSync } from 'node:crypto'

export type IdPrefix = 'task' | 'att' | 'img' | 'prj' | 'wrk' | 'aud' | 'whk' | 'dlv' | 'key' | 'led' | 'call'

// Crockford's base32 has no I, L, O or U, which are misread.
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

/** `task_01K9…`: 48 bits of time, 80 random bits (github.com/ulid/spec). Sorts by time. */
export function newId(prefix: IdPrefix, now: number): string {
  let time = ''
  for (let rest = now, i = 0; i < 10; i++) {
    time = ALPHABET[rest % 32] + time
    rest = Math.floor(rest / 32)
  }
  let random = ''
  for (const byte of takeRandom()) random += ALPHABET[byte % 32]
  return `${prefix}_${time}${random}`
}

const RANDOM_BYTES = 16
/** Filled for many ids at once. */
const pool = Buffer.alloc(RANDOM_BYTES * 64)
let used = pool.length

function takeRandom(): Buffer {
  if (used === pool.length) used = 0
  if (used === 0) randomFillSync(pool)
  return pool.subarray(used, (used += RANDOM_BYTES))
}

export function idPrefix(id: string): string | undefined {
  return /^([a-z]+)_[0-9A-HJKMNP-TV-Z]{26}$/.exec(id)?.[1]
}
