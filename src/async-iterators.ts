// Async iterators that can be closed while a `next()` is pending. An async generator cannot: its `return()` waits for the
// pending `next()`, so a consumer of an idle stream would never be released.

interface StreamHooks<T> {
  /** Maps each item. An error thrown here ends the stream like an error of the source. */
  onItem?: (item: T) => T
  /** Converts an error to the last item. Without it, `next()` rejects. */
  onError?: (error: unknown) => T
  /** Called once when the stream ends, fails, is closed or is interrupted; before the source is closed. */
  onEnd?: () => void
  /** Interrupts the stream: closes the source and rejects `next()` with the signal's reason. */
  signal?: AbortSignal
}

const DONE = { done: true, value: undefined } as const

/**
 * Adds hooks to a stream. Closes the source at most once, and never after it ended by itself. A pending `next()` settles
 * only if the source reacts to `return()`; `abortable` makes such a source from a generator.
 */
export function withHooks<T>(
  source: AsyncIterable<T>,
  { onItem = (item) => item, onError, onEnd, signal }: StreamHooks<T>,
): AsyncIterableIterator<T, void> {
  const iterator = source[Symbol.asyncIterator]()
  /** The source ended by itself and needs no cleanup. */
  let isExhausted = false
  /** The consumer gets no further items. */
  let isOver = false
  let isInterrupted = false
  let hasEnded = false
  let closing: Promise<void> | undefined

  function end(): void {
    if (hasEnded) return
    hasEnded = true
    signal?.removeEventListener('abort', interrupt)
    onEnd?.()
  }

  function close(): Promise<void> {
    return (closing ??= (async () => {
      try {
        end()
      } finally {
        if (!isExhausted) await iterator.return?.()
      }
    })())
  }

  function interrupt(): void {
    isInterrupted = true
    // The consumer gets the signal's reason, not an error of closing the source.
    close().catch(() => {})
  }

  async function advance(): Promise<IteratorResult<T, void>> {
    if (isInterrupted) throw signal?.reason
    const result = await iterator.next().catch((error: unknown) => {
      isExhausted = true
      throw isInterrupted ? signal?.reason : error
    })
    isExhausted ||= result.done === true
    if (isInterrupted) throw signal?.reason
    if (!result.done) return { done: false, value: onItem(result.value) }
    end()
    isOver = true
    return DONE
  }

  signal?.addEventListener('abort', interrupt)
  if (signal?.aborted) interrupt()

  return {
    async next() {
      if (isOver) return DONE
      try {
        return await advance()
      } catch (error) {
        // Only the first of several pending calls gets the error, and none after the consumer closed the stream.
        if (isOver) return DONE
        isOver = true
        await close().catch(() => {})
        if (!onError) throw error
        return { done: false, value: onError(error) }
      }
    },
    async return() {
      isOver = true
      await close()
      return DONE
    },
    async throw(error) {
      isOver = true
      await close()
      throw error
    },
    [Symbol.asyncIterator]() {
      return this
    },
  }
}

/** A generator that can be closed while it waits: its signal aborts when the stream ends for any reason. */
export function abortable<T>(
  start: (signal: AbortSignal) => AsyncGenerator<T, void>,
): AsyncIterableIterator<T, void> {
  const ended = new AbortController()
  return withHooks(start(ended.signal), { onEnd: () => ended.abort() })
}
