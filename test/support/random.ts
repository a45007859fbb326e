import { createHash } from 'node:crypto'
import { createChance, type Chance } from '../storm/chance.ts'

export type Random = Chance

/** Pseudo-random numbers, the same for the same seed. */
export function createRandom(seed: string): Random {
  return createChance(createHash('sha256').update(seed).digest().readUInt32LE(0))
}
