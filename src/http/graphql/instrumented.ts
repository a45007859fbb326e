// Operations as dashboards and traces see them, over every transport. Documents and variables are told to nobody: they
// hold prompts.
import { isAsyncIterable, type Plugin } from 'graphql-yoga'
import { getOperationAST, type DocumentNode, type ExecutionResult } from 'graphql'
import { withHooks } from '../../async-iterators.ts'
import type { Metrics } from '../../metrics.ts'
import type { Span, Tracing } from '../../tracing.ts'
import { notesHere } from './request-notes.ts'

/** What an operation over a WebSocket knows of its connection. */
export interface SocketNotes {
  /** As the client gave it in connectionParams; null when it gave none. */
  traceparent: string | null
}

interface Arguments {
  document: DocumentNode
  operationName?: string | null | undefined
  contextValue: { request: Request; socket?: SocketNotes }
}

export function useObservation({ metrics, tracing }: { metrics: Metrics; tracing: Tracing }): Plugin {
  const { done } = metrics

  function watched<Result>(args: Arguments, work: (span: Span) => Promise<Result>): Promise<Result> {
    const operation = getOperationAST(args.document, args.operationName)
    const name = operation?.name?.value.slice(0, 100)
    const type = operation?.operation ?? 'query'
    const notes = notesHere()
    if (notes) notes.operation = name ?? null
    const { request, socket } = args.contextValue
    const parent = socket ? socket.traceparent : request.headers.get('traceparent')
    const attributes = { 'graphql.operation.type': type, 'graphql.operation.name': name }
    return tracing.span(`graphql ${type}`, { kind: 'SERVER', parent, attributes }, async (span) => {
      const result = await work(span)
      const code = isAsyncIterable(result) ? undefined : errorOf(result)
      if (code !== undefined) span.set({ 'error.type': code })
      done.operations.inc({ operation: type, result: code === undefined ? 'ok' : 'error' })
      return result
    })
  }

  return {
    onExecute({ args, executeFn, setExecuteFn }) {
      setExecuteFn((given) =>
        watched(asArguments(args), async () => {
          const operation = getOperationAST(args.document, args.operationName)?.operation ?? 'query'
          const end = done.operationSeconds.startTimer({ operation })
          const result: unknown = await executeFn(given)
          end()
          return result
        }),
      )
    },
    onSubscribe({ args, subscribeFn, setSubscribeFn }) {
      const seen = asArguments(args)
      setSubscribeFn((given) => watched(seen, async (): Promise<unknown> => subscribeFn(given)))
      const transport = seen.contextValue.socket ? 'websocket' : 'sse'
      return {
        onSubscribeResult({ result, setResult }) {
          if (!isAsyncIterable<ExecutionResult>(result)) return
          done.subscribers.inc({ transport })
          setResult(withHooks(result, { onEnd: () => done.subscribers.dec({ transport }) }))
        },
      }
    },
  }
}

function asArguments(args: unknown): Arguments {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what Yoga and our sockets put there
  return args as Arguments
}

/** The code of the first error of a result; undefined when it has none. */
function errorOf(result: unknown): string | undefined {
  if (typeof result !== 'object' || result === null || !('errors' in result)) return undefined
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the result of an execution
  const [first] = (result as ExecutionResult).errors ?? []
  const code: unknown = first?.extensions['code']
  return first && (typeof code === 'string' ? code : 'GRAPHQL_VALIDATION_FAILED')
}
