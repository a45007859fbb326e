export interface Estimate {
  /** Null: no finished task took that long. */
  remainingMs(elapsedMs: number): number | null
  /** 0 to 1, of the expected duration; never 1 before the end. */
  fraction(elapsedMs: number): number
}

const MAX_FRACTION = 0.97
/** Fewer are no pattern. */
const MIN_DURATIONS = 3

/**
 * The median of the measured durations that are longer than the time elapsed: the estimate grows when a task
 * is slow.
 */
export function learnEstimate(durationsMs: readonly number[]): Estimate {
  const sorted = durationsMs.toSorted((a, b) => a - b)
  const expectedMs = (elapsedMs: number) => {
    if (sorted.length < MIN_DURATIONS) return null
    const longer = sorted.filter((one) => one > elapsedMs)
    return longer[Math.floor((longer.length - 1) / 2)] ?? null
  }
  return {
    remainingMs(elapsedMs) {
      const expected = expectedMs(elapsedMs)
      return expected === null ? null : expected - elapsedMs
    },
    fraction(elapsedMs) {
      if (sorted.length < MIN_DURATIONS) return 0
      const expected = expectedMs(elapsedMs) ?? elapsedMs
      return expected === 0 ? 0 : Math.min(elapsedMs / expected, MAX_FRACTION)
    },
  }
}
