// Metrics, spans and log fields of operations, over every transport. Never of documents and variables: they hold prompts.
import { AsyncLocalStorage } from 'node:async_hooks'
import { isAsyncIterable, type Plugin } from 'graphql-yoga'
import { getOperationAST, type DocumentNode, type ExecutionResult } from 'graphql'
import { withHooks } from '../../async-iterators.ts'
import type { Metrics } from '../../metrics.ts'
import type { Span, Tracing } from '../../tracing.ts'

/** Fields that the handling of an HTTP request adds to its log line. */
export interface RequestNotes {
  /** The name of the GraphQL operation; null if it has none. */
  operation?: string | null
}

const requestNotes = new AsyncLocalStorage<RequestNotes>()

export function withRequestNotes<T>(notes: RequestNotes, work: () => Promise<T>): Promise<T> {
  return requestNotes.run(notes, work)
}

/** Data of the connection of an operation over a WebSocket. */
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
  function instrumented<Result>(args: OperationArgs, work: (span: Span) => Promise<Result>): Promise<Result> {
    const operation = getOperationAST(args.document, args.operationName)
    const name = operation?.name?.value.slice(0, 100)
    const type = operation?.operation ?? 'query'
    const notes = requestNotes.getStore()
    if (notes) notes.operation = name ?? null
    const { request, socket } = args.contextValue
    const parent = socket ? socket.traceparent : request.headers.get('traceparent')
    const attributes = { 'graphql.operation.type': type, 'graphql.operation.name': name }
    return tracing.span(`graphql ${type}`, { kind: 'SERVER', parent, attributes }, async (span) => {
      const result = await work(span)
      const code = isAsyncIterable(result) ? undefined : errorCodeOf(result)
      if (code !== undefined) span.set({ 'error.type': code })
      metrics.operations.inc({ operation: type, result: code === undefined ? 'ok' : 'error' })
      return result
    })
  }

  return {
    onExecute({ args, executeFn, setExecuteFn }) {
      setExecuteFn((given) =>
        instrumented(toOperationArgs(args), async () => {
          const operation = getOperationAST(args.document, args.operationName)?.operation ?? 'query'
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

/** The code of the first error of a result; undefined if it has none. */
function errorCodeOf(result: unknown): string | undefined {
  if (typeof result !== 'object' || result === null || !('errors' in result)) return undefined
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the result of an execution
  const [first] = (result as ExecutionResult).errors ?? []
  const code: unknown = first?.extensions['code']
  return first && (typeof code === 'string' ? code : 'GRAPHQL_VALIDATION_FAILED')
}
