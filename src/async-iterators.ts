// Streams that can be left while they wait. An async generator alone cannot: its `return()` waits for a pending `next()`,
// so a reader that leaves while nothing happens would never be released.

interface StreamHooks<T> {
  /** Takes each item on its way to the reader. An error thrown here ends the stream, as one of the source does. */
  onItem?: (item: T) => T
  /** Returns the last item, in place of an error. Without it, `next()` rejects with the error. */
  onError?: (error: unknown) => T
  /** Called once, as soon as the stream has ended, failed, been left or been interrupted; before the source is left. */
  onEnd?: () => void
  /** Interrupts the stream: the source is left, and the reader is given the signal's reason as an error. */
  signal?: AbortSignal
}

const DONE = { done: true, value: undefined } as const

/**
 * The same stream with hooks. The source is left once, and never after it has ended by itself. A pending `next()` settles
 * when the source lets it, so the source must react to `return()`: `abortable` makes such a source of a generator.
 */
export function withHooks<T>(
  source: AsyncIterable<T>,
  { onItem = (item) => item, onError, onEnd, signal }: StreamHooks<T>,
): AsyncIterableIterator<T, void> {
  const iterator = source[Symbol.asyncIterator]()
  /** The source has nothing to clean up. */
  let isExhausted = false
  /** The reader is given nothing more. */
  let isOver = false
  let isInterrupted = false
  let hasEnded = false
  let leaving: Promise<void> | undefined

  function end(): void {
    if (hasEnded) return
    hasEnded = true
    signal?.removeEventListener('abort', interrupt)
    onEnd?.()
  }

  function leave(): Promise<void> {
    return (leaving ??= (async () => {
      try {
        end()
      } finally {
        if (!isExhausted) await iterator.return?.()
      }
    })())
  }

  function interrupt(): void {
    isInterrupted = true
    // The reader is given the reason, and not what went wrong while the source was left.
    leave().catch(() => {})
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
        // Of several pending calls the first is given the error, and none once the reader has left.
        if (isOver) return DONE
        isOver = true
        await leave().catch(() => {})
        if (!onError) throw error
        return { done: false, value: onError(error) }
      }
    },
    async return() {
      isOver = true
      await leave()
      return DONE
    },
    async throw(error) {
      isOver = true
      await leave()
      throw error
    },
    [Symbol.asyncIterator]() {
      return this
    },
  }
}

/** A generator that can be left while it waits: the signal it is given aborts when the stream ends, however it ends. */
export function abortable<T>(
  start: (signal: AbortSignal) => AsyncGenerator<T, void>,
): AsyncIterableIterator<T, void> {
  const left = new AbortController()
  return withHooks(start(left.signal), { onEnd: () => left.abort() })
}
