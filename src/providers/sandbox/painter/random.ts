import { createHash } from 'node:crypto'

/** The same for a seed on every machine. */
export interface Random {
  /** 0 (inclusive) to 1 (exclusive). */
  next(): number
  between(low: number, high: number): number
  pick<T>(list: readonly T[]): T
}

export function createRandom(seed: string): Random {
  const digest = createHash('sha256').update(seed).digest()
  let a = digest.readInt32LE(0)
  let b = digest.readInt32LE(4)
  let c = digest.readInt32LE(8)
  let d = digest.readInt32LE(12)

  // sfc32, Chris Doty-Humphrey (PractRand).
  function next(): number {
    const sum = (((a + b) | 0) + d) | 0
    d = (d + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (c << 21) | (c >>> 11)
    c = (c + sum) | 0
    return (sum >>> 0) / 4_294_967_296
  }

  return {
    next,
    between: (low, high) => low + (high - low) * next(),
    pick<T>(list: readonly T[]): T {
      const picked = list[Math.floor(next() * list.length)]
      if (picked === undefined) throw new Error('There is nothing to pick from')
      return picked
    },
  }
}

/** -1 to 1. Each octave has half the amplitude of the last. */
export function createNoise(random: Random, octaves: number): (x: number) => number {
  const hills = Array.from({ length: 256 }, () => random.between(-1, 1))
  const at = (index: number) => hills[index & 255] ?? 0

  function wave(x: number): number {
    const left = Math.floor(x)
    const t = x - left
    const smooth = t * t * (3 - 2 * t)
    return at(left) + (at(left + 1) - at(left)) * smooth
  }

  return (x) => {
    let sum = 0
    for (let octave = 0; octave < octaves; octave++) sum += wave(x * 2 ** octave + 37 * octave) / 2 ** octave
    return sum / (2 - 2 ** (1 - octaves))
  }
}
