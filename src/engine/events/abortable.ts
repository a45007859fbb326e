/**
 * An async generator that can be left while it waits. A plain one cannot: its `return()` queues up behind the pending
 * `next()`, so a reader that goes away while nothing happens would be kept for ever.
 */
export function abortable<T>(
  start: (signal: AbortSignal) => AsyncGenerator<T, void>,
): AsyncIterableIterator<T> {
  const left = new AbortController()
  const source = start(left.signal)
  return {
    next: () => source.next(),
    async return() {
      left.abort()
      await source.return()
      return { done: true, value: undefined }
    },
    [Symbol.asyncIterator]() {
      return this
    },
  }
}
