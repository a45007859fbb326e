import type { Plugin } from 'graphql-yoga'
import type { ExecutionResult, GraphQLError } from 'graphql'
import type { Context } from '../../schema/context.ts'

interface Hook {
  args: { contextValue: unknown }
  setResultAndStopExecution(result: ExecutionResult): void
}

/** Counts every operation against the limits of its caller, whatever way it came, and refuses one too many unrun. */
export function useRateLimits(mask: (error: unknown) => GraphQLError): Plugin {
  async function count(hook: Hook): Promise<void> {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what our context function made
    const { engine, caller } = hook.args.contextValue as Context
    try {
      await engine.admit(caller)
    } catch (error) {
      hook.setResultAndStopExecution({ errors: [mask(error)] })
    }
  }
  return { onExecute: count, onSubscribe: count }
}
