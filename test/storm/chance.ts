/** Numbers by chance that are the same for the same seed. */
export interface Chance {
  /** 0 up to, and never, 1. */
  next(): number
  /** Between two numbers. */
  between(low: number, high: number): number
  pick<T>(from: readonly T[]): T
}

/** Mulberry32: 32 bits of state, enough to throw dice. */
export function createChance(seed: number): Chance {
  let state = seed >>> 0
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
      const one = from[Math.floor(next() * from.length)]
      if (one === undefined) throw new Error('There is nothing to pick from.')
      return one
    },
  }
}
