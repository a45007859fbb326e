// What a caller may: looked at before anything of an operation runs, and as long as a stream goes on. Over HTTP, event
// streams and WebSockets alike, because all of them come through the same pipeline.
import type { ExecutionResult, GraphQLSchema, DocumentNode } from 'graphql'
import { isAsyncIterable, type Plugin } from 'graphql-yoga'
import { withHooks } from '../../async-iterators.ts'
import type { Access } from '../../engine/access/access.ts'
import type { Keyring } from '../../engine/access/keyring.ts'
import { GatewayError } from '../../errors.ts'
import type { Context } from '../../schema/context.ts'
import { missingRight } from '../../schema/scopes.ts'
import { requestError } from '../refusal.ts'

interface Asked {
  args: {
    schema: GraphQLSchema
    document: DocumentNode
    operationName?: string | null | undefined
    contextValue: { caller: Access }
  }
  setResultAndStopExecution: (result: ExecutionResult) => void
}

/** Refuses, with FORBIDDEN, whole operations that ask for anything their caller may not; ends streams of lost keys. */
export function useRights(watch: Keyring['watch']): Plugin<Context> {
  return {
    onExecute: (asked) => void refuse(asked),
    onSubscribe(asked) {
      if (refuse(asked)) return undefined
      const { caller } = asked.args.contextValue
      return {
        onSubscribeResult({ result, setResult }) {
          if (isAsyncIterable(result)) setResult(untilLost(result, (lost) => watch(caller, lost)))
        },
      }
    },
  }
}

function refuse(asked: Asked): boolean {
  const missing = missingRight(asked.args, asked.args.contextValue.caller)
  if (missing === undefined) return false
  asked.setResultAndStopExecution({ errors: [requestError('FORBIDDEN', missing)] })
  return true
}

/** The same stream, interrupted with UNAUTHENTICATED as soon as its caller loses the right to it. */
function untilLost(
  source: AsyncIterable<ExecutionResult>,
  watch: (lost: () => void) => () => void,
): AsyncIterableIterator<ExecutionResult> {
  const loss = new AbortController()
  const stop = watch(() =>
    loss.abort(new GatewayError('UNAUTHENTICATED', 'The API key of this stream is no longer good.')),
  )
  return withHooks(source, { signal: loss.signal, onEnd: stop })
}
