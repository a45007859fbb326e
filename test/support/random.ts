import { createHash } from 'node:crypto'

/** Pseudo-random numbers, the same for the same seed. */
export interface Random {
  /** At least 0 and less than 1. */
  next(): number
  between(low: number, high: number): number
  pick<T>(from: readonly T[]): T
}

/** Mulberry32. Of a number as the seed, 32 bits count; a text is hashed. */
export function createRandom(seed: number | string): Random {
  let state =
    typeof seed === 'number' ? seed >>> 0 : createHash('sha256').update(seed).digest().readUInt32LE(0)
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  return {
    next,
    between: (low, high) => low + next() * (high - low),
    pick(from) {
      const picked = from[Math.floor(next() * from.length)]
      if (picked === undefined) throw new Error('The list to pick from is empty.')
      return picked
    },
  }
}
