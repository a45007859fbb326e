export type Limit = <T>(work: () => Promise<T>) => Promise<T>

/** First in, first out. */
export function createLimit(maxConcurrent: number): Limit {
  const queue: (() => void)[] = []
  let running = 0

  return async (work) => {
    if (running === maxConcurrent) await new Promise<void>((resolve) => queue.push(resolve))
    else running++
    try {
      return await work()
    } finally {
      // Passes the slot on: no later call takes it.
      const next = queue.shift()
      if (next) next()
      else running--
    }
  }
}
