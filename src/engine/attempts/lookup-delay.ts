import type { Tuning } from '../deps.ts'

/** From one lookup of an unknown outcome to the next, after `earlier` lookups; 0 after the last. */
export function nextLookupMs({ lookupDelaysMs }: Pick<Tuning, 'lookupDelaysMs'>, earlier: number): number {
  return Math.max(0, (lookupDelaysMs[earlier] ?? 0) - (lookupDelaysMs[earlier - 1] ?? 0))
}
