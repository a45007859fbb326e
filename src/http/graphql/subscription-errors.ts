import type { ExecutionResult, GraphQLError } from 'graphql'

/**
 * The same stream, except that where it would break it ends with a result that holds the error. Thrown on, an error
 * would cut the event stream without a word, and lose its code and id over WebSocket. Leaving works while it waits.
 */
export function withLastWords(
  source: AsyncIterable<ExecutionResult>,
  mask: (error: unknown) => GraphQLError,
): AsyncIterableIterator<ExecutionResult> {
  const iterator = source[Symbol.asyncIterator]()
  let broken = false
  return {
    async next() {
      if (broken) return { done: true, value: undefined }
      try {
        return await iterator.next()
      } catch (error) {
        broken = true
        return { done: false, value: { errors: [mask(error)] } }
      }
    },
    async return() {
      await iterator.return?.()
      return { done: true, value: undefined }
    },
    [Symbol.asyncIterator]() {
      return this
    },
  }
}
