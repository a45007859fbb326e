// Async iterators that close while `next()` is pending, unlike async generators.

interface StreamHooks<T> {
  onItem?: (item: T) => T
  /** Makes an error the last item; by default `next()` rejects. */
  onError?: (error: unknown) => T
  /** Once, at any end, before the source is closed. */
  onEnd?: () => void
  /** Closes the source; `next()` rejects with the reason. */
  signal?: AbortSignal
  /** Wraps each read, for example in an async context. */
  run?: <R>(read: () => R) => R
}

const DONE = { done: true, value: undefined } as const

/** A pending `next()` settles only if the source reacts to `return()`: see `abortable`. */
export function withHooks<T>(
  source: AsyncIterable<T>,
  { onItem = (item) => item, onError, onEnd, signal, run = (read) => read() }: StreamHooks<T>,
): AsyncIterableIterator<T, void> {
  const iterator = source[Symbol.asyncIterator]()
  /** It needs no cleanup. */
  let isExhausted = false
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
    close().catch(() => {})
  }

  async function advance(): Promise<IteratorResult<T, void>> {
    if (isInterrupted) throw signal?.reason
    const result = await run(() => iterator.next()).catch((error: unknown) => {
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
        // For the first pending call only; not after `return()`.
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

/** Any end aborts the signal, so that a waiting generator can end. */
export function abortable<T>(
  start: (signal: AbortSignal) => AsyncGenerator<T, void>,
): AsyncIterableIterator<T, void> {
  const ended = new AbortController()
  return withHooks(start(ended.signal), { onEnd: () => ended.abort() })
}
