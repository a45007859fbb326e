/** Runs a piece of work when there is a place for it, and answers what it answers. */
export type Limit = <T>(work: () => Promise<T>) => Promise<T>

/** Runs at most `most` pieces of work at once, the others in the order they came. */
export function createLimit(most: number): Limit {
  const waiting: (() => void)[] = []
  let running = 0

  return async (work) => {
    if (running === most) await new Promise<void>((resolve) => waiting.push(resolve))
    else running++
    try {
      return await work()
    } finally {
      // The place passes straight to the next in line, so nobody who comes now can slip in between.
      const next = waiting.shift()
      if (next) next()
      else running--
    }
  }
}
