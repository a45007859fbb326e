import { createClient } from 'graphql-ws'
import { WebSocket } from 'ws'
import { z } from 'zod'
import { downloadImage } from '../download.ts'
import { readData, runOperation, type GraphQLOperation } from '../graphql.ts'
import { resumeUntilEnd } from '../resume.ts'
import { graphqlUrl, withRemedy } from '../server-client.ts'
import { TASK_EVENTS, type DemoEvent } from './operations.ts'

export type DemoClient = ReturnType<typeof createDemoClient>

const RETRIES = { max: 5, delayMs: 250, maxDelayMs: 4_000 }

/** For `url` with or without `/graphql`. Calls throw OperationRefused; `close` aborts them. */
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
    async run<Data>(operation: GraphQLOperation<Data>): Promise<Data> {
      try {
        return await runOperation(endpoint, operation, { headers, signal })
      } catch (error) {
        throw withRemedy(error)
      }
    },
    watch: (taskId: string) =>
      resumeUntilEnd((after) => events(taskId, after), {
        retries: RETRIES,
        signal,
        toError: connectionError,
      }),
    download: (imageUrl: string) => downloadImage(new URL(imageUrl, endpoint), signal),
    close: async () => {
      closing.abort()
      await socket.dispose()
    },
  }

  async function* events(id: string, after: string | undefined): AsyncGenerator<DemoEvent> {
    const variables = { id, ...(after !== undefined && { after }) }
    for await (const result of socket.iterate({ query: TASK_EVENTS.query, variables }))
      yield readData(result, TASK_EVENTS.shape).taskEvents
  }
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
    `The connection to the server failed ${RETRIES.max + 1} times in a row${cause ? ` (${cause})` : ''}.`,
  )
}
