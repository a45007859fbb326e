import { createClient } from 'graphql-ws'
import { WebSocket } from 'ws'
import { z } from 'zod'
import { systemClock } from '../../clock.ts'
import { isFinished } from '../../domain.ts'
import { findRefusal, OperationRefused, readData, runOperation, type GraphQLOperation } from '../graphql.ts'
import { TASK_EVENTS, type DemoEvent } from './operations.ts'

export type DemoClient = ReturnType<typeof createDemoClient>

const MAX_RECONNECTS = 5
const RECONNECT_DELAY_MS = 250

/** For the server at `url`, with or without `/graphql`. Calls throw OperationRefused; `close` aborts them. */
export function createDemoClient(url: string, apiKey?: string) {
  const endpoint = graphqlUrl(url)
  const headers: Record<string, string> = apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }
  const socket = createClient({
    url: endpoint.replace(/^http/, 'ws'),
    webSocketImpl: WebSocket,
    connectionParams: headers,
    // The library would resubscribe with the first cursor.
    retryAttempts: 0,
  })
  const closing = new AbortController()
  const { signal } = closing
  return {
    run: <Data>(operation: GraphQLOperation<Data>) => runOperation(endpoint, operation, { headers, signal }),
    watch: (taskId: string) =>
      watch((after) => {
        const variables = { id: taskId, ...(after !== undefined && { after }) }
        return socket.iterate({ query: TASK_EVENTS.query, variables })
      }, signal),
    download: (imageUrl: string) => download(new URL(imageUrl, endpoint), signal),
    close: async () => {
      closing.abort()
      await socket.dispose()
    },
  }
}

export function graphqlUrl(url: string): string {
  const { origin, pathname } = new URL(url)
  const path = pathname.replace(/\/+$/, '')
  return `${origin}${path.endsWith('/graphql') ? path : `${path}/graphql`}`
}

/** Until the task ends. Reconnects and resumes after the last cursor. */
async function* watch(
  subscribe: (after: string | undefined) => AsyncIterable<unknown>,
  signal: AbortSignal,
): AsyncGenerator<DemoEvent> {
  let after: string | undefined
  let hasEnded = false
  for (let failures = 0; !signal.aborted;) {
    try {
      for await (const result of subscribe(after)) {
        const { taskEvents: event } = readData(result, TASK_EVENTS.shape)
        failures = 0
        after = event.cursor
        hasEnded = isFinished(event.status ?? event.task.status)
        yield event
      }
      if (hasEnded) return
      // A server's shutdown completes its streams.
      throw new Error('The server ended the stream before the task ended.')
    } catch (error) {
      const refusal = findRefusal(error)
      if (refusal || ++failures > MAX_RECONNECTS) throw refusal ?? connectionError(error)
      await systemClock.sleep(RECONNECT_DELAY_MS * 2 ** (failures - 1), signal)
    }
  }
  throw signal.reason
}

async function download(url: URL, signal: AbortSignal): Promise<Uint8Array> {
  const response = await fetch(url, { signal })
  if (!response.ok)
    throw new OperationRefused(`${url.href} returned status ${response.status} instead of an image.`)
  return new Uint8Array(await response.arrayBuffer())
}

const CLOSE_EVENT = z.object({
  message: z.string().optional(),
  reason: z.string().optional(),
  code: z.int().optional(),
})

/** A WebSocket fails with an event, not an Error. */
function connectionError(thrown: unknown): Error {
  if (thrown instanceof Error) return thrown
  const { message, reason, code } = CLOSE_EVENT.safeParse(thrown).data ?? {}
  const cause = message || reason || code
  return new Error(
    `The connection to the server failed ${MAX_RECONNECTS + 1} times in a row${cause ? ` (${cause})` : ''}.`,
  )
}
