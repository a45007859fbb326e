import type { ExecutionResult, GraphQLError } from 'graphql'
import { isAsyncIterable, type Plugin } from 'graphql-yoga'
import { withHooks } from '../../async-iterators.ts'
import { runAsStep, runForClient } from '../../db/connection/priority.ts'
import type { Access } from '../../engine/access/access.ts'
import type { Keyring } from '../../engine/access/keyring.ts'
import { GatewayError } from '../../errors.ts'
import type { Context } from '../../schema/context.ts'
import { missingRight } from '../../schema/scopes.ts'
import { requestError } from '../refusal.ts'
import { complexityErrors } from './document-limits.ts'
import { hasIntrospection, introspectionDisabled } from './rules.ts'
import { toGraphQLError } from './mask.ts'
import { variableErrors, type VariableUse } from './variables.ts'

interface ExecutionHook {
  args: VariableUse & { contextValue: Context }
  setResultAndStopExecution: (result: ExecutionResult) => void
}

/**
 * Clients that accept application/graphql-response+json get status 400 for a request that was not executed.
 */
function withStatus(error: GraphQLError): GraphQLError {
  if (error.extensions['http'] !== undefined) return error
  return toGraphQLError(error.message, { ...error.extensions, http: { status: 400, spec: true } }, error)
}

export function useExecutionChecks(
  watch: Keyring['watch'],
  {
    mask,
    mayIntrospect,
  }: { mask: (error: unknown) => GraphQLError; mayIntrospect: (caller: Access) => boolean },
): Plugin<Context> {
  async function findErrors({ args }: ExecutionHook): Promise<GraphQLError[]> {
    const { engine, caller } = args.contextValue
    try {
      await engine.countRequest(caller)
    } catch (error) {
      return [mask(error)]
    }
    if (!mayIntrospect(caller) && hasIntrospection(args.document)) return [introspectionDisabled()]
    const missing = missingRight(args, caller)
    if (missing !== undefined) return [requestError('FORBIDDEN', missing)]
    const invalid = variableErrors(args)
    return invalid.length > 0 ? invalid : complexityErrors(args)
  }

  async function check(hook: ExecutionHook): Promise<boolean> {
    const errors = await findErrors(hook)
    if (errors.length > 0) hook.setResultAndStopExecution({ errors: errors.map(withStatus) })
    return errors.length === 0
  }

  /**
   * Ends a failed stream with a result: a thrown error has no message over SSE, and no code over a WebSocket.
   */
  function guard(source: AsyncIterable<ExecutionResult>, caller: Access) {
    const revoked = new AbortController()
    const onEnd = watch(caller, () =>
      revoked.abort(new GatewayError('UNAUTHENTICATED', 'The API key of this stream is no longer valid.')),
    )
    return withHooks(source, {
      signal: revoked.signal,
      run: runForClient,
      onEnd,
      onError: (error) => ({ errors: [mask(error)] }),
    })
  }

  return {
    async onExecute(hook) {
      if (!(await check(hook))) return
      const { executeFn } = hook
      hook.setExecuteFn((args) => runAsStep(() => executeFn(args)))
    },
    async onSubscribe(hook) {
      if (!(await check(hook))) return undefined
      return {
        onSubscribeResult({ result, setResult }) {
          if (isAsyncIterable<ExecutionResult>(result))
            setResult(guard(result, hook.args.contextValue.caller))
        },
      }
    },
  }
}
