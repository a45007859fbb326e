/** Runs work as soon as the limit allows it. */
export type Limit = <T>(work: () => Promise<T>) => Promise<T>

/** Limits concurrency; the queue is first in, first out. */
export function createLimit(maxConcurrent: number): Limit {
  const queue: (() => void)[] = []
  let running = 0

  return async (work) => {
    if (running === maxConcurrent) await new Promise<void>((resolve) => queue.push(resolve))
    else running++
    try {
      return await work()
    } finally {
      // Hands the slot to the next in the queue directly, so that no newcomer can take it.
      const next = queue.shift()
      if (next) next()
      else running--
    }
  }
}
