// Never records documents or variables: they hold prompts.
import { AsyncLocalStorage } from 'node:async_hooks'
import { isAsyncIterable, type Plugin } from 'graphql-yoga'
import { getOperationAST, type DocumentNode, type ExecutionResult } from 'graphql'
import { withHooks } from '../../async-iterators.ts'
import type { Metrics } from '../../metrics.ts'
import type { Tracing } from '../../tracing.ts'

export interface RequestNotes {
  /** Null without a name. */
  operation?: string | null
}

const requestNotes = new AsyncLocalStorage<RequestNotes>()

export function withRequestNotes<T>(notes: RequestNotes, work: () => Promise<T>): Promise<T> {
  return requestNotes.run(notes, work)
}

export interface SocketContext {
  /** From connectionParams. */
  traceparent: string | null
}

interface OperationArgs {
  document: DocumentNode
  operationName?: string | null | undefined
  contextValue: { request: Request; socket?: SocketContext }
}

export function useInstrumentation({ metrics, tracing }: { metrics: Metrics; tracing: Tracing }): Plugin {
  function instrumented<Result>(
    { document, operationName, contextValue: { request, socket } }: OperationArgs,
    work: (operation: string) => Promise<Result>,
  ): Promise<Result> {
    const node = getOperationAST(document, operationName)
    const name = node?.name?.value.slice(0, 100)
    const operation = node?.operation ?? 'query'
    const notes = requestNotes.getStore()
    if (notes) notes.operation = name ?? null
    const parent = socket ? socket.traceparent : request.headers.get('traceparent')
    const attributes = { 'graphql.operation.type': operation, 'graphql.operation.name': name }
    return tracing.span(`graphql ${operation}`, { kind: 'SERVER', parent, attributes }, async (span) => {
      const result = await work(operation)
      const code = isAsyncIterable(result) ? undefined : errorCodeOf(result)
      if (code !== undefined) span.set({ 'error.type': code })
      metrics.operations.inc({ operation, result: code === undefined ? 'ok' : 'error' })
      return result
    })
  }

  return {
    onExecute({ args, executeFn, setExecuteFn }) {
      setExecuteFn((given) =>
        instrumented(toOperationArgs(args), async (operation) => {
          const end = metrics.operationSeconds.startTimer({ operation })
          const result: unknown = await executeFn(given)
          end()
          return result
        }),
      )
    },
    onSubscribe({ args, subscribeFn, setSubscribeFn }) {
      const operationArgs = toOperationArgs(args)
      setSubscribeFn((given) => instrumented(operationArgs, async (): Promise<unknown> => subscribeFn(given)))
      const transport = operationArgs.contextValue.socket ? 'websocket' : 'sse'
      return {
        onSubscribeResult({ result, setResult }) {
          if (!isAsyncIterable<ExecutionResult>(result)) return
          metrics.subscribers.inc({ transport })
          setResult(withHooks(result, { onEnd: () => metrics.subscribers.dec({ transport }) }))
        },
      }
    },
  }
}

function toOperationArgs(args: unknown): OperationArgs {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- set by Yoga and by websocket.ts
  return args as OperationArgs
}

function errorCodeOf(result: unknown): string | undefined {
  if (typeof result !== 'object' || result === null || !('errors' in result)) return undefined
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the result of an execution
  const [first] = (result as ExecutionResult).errors ?? []
  const code: unknown = first?.extensions['code']
  return first && (typeof code === 'string' ? code : 'GRAPHQL_VALIDATION_FAILED')
}
