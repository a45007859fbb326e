// A GraphQL client as anybody could write one: HTTP for what is asked once, a WebSocket for what is watched.
import { createClient } from 'graphql-ws'
import { WebSocket } from 'ws'
import { z } from 'zod'
import { systemClock } from '../../clock.ts'
import { isFinished } from '../../domain.ts'
import { TASK_EVENTS } from './operations.ts'
import { TASK_EVENTS_REPLY, type TaskEvent } from './replies.ts'

export interface DemoClient {
  /** Runs a query or mutation. Throws RequestRefused with what the server said. */
  ask<Data>(question: Question<Data>): Promise<Data>
  /** The task's events, from its snapshot to its end. Reconnects by itself, and goes on after the last cursor. */
  watch(taskId: string): AsyncGenerator<TaskEvent>
  /** The bytes behind an image's URL. */
  download(url: string): Promise<Uint8Array>
  /** Ends whatever is under way with an error. */
  close(): Promise<void>
}

/** One operation, and the shape its data must have. */
export interface Question<Data> {
  query: string
  variables: Record<string, unknown>
  shape: z.ZodType<Data>
}

/** The server answered, and the answer was no. */
class RequestRefused extends Error {
  override name = 'RequestRefused'
}

const RECONNECTS = 5
const RECONNECT_AFTER_MS = 250

/** A client of the server at `url`, its address with or without `/graphql`. `key` is needed where there are any. */
export function createDemoClient(url: string, key?: string): DemoClient {
  const endpoint = graphqlUrl(url)
  const authorization = key === undefined ? undefined : { authorization: `Bearer ${key}` }
  const socket = createClient({
    url: endpoint.replace(/^http/, 'ws'),
    webSocketImpl: WebSocket,
    connectionParams: { ...authorization },
    // The library would resubscribe with the same variables, and so from the first event on.
    retryAttempts: 0,
  })
  const closing = new AbortController()
  return {
    ask: (question) => ask(endpoint, question, { ...authorization }, closing.signal),
    watch: (taskId) =>
      watch(taskId, (variables) => socket.iterate({ query: TASK_EVENTS, variables }), closing.signal),
    download: (imageUrl) => download(new URL(imageUrl, endpoint), closing.signal),
    close: async () => {
      closing.abort()
      await socket.dispose()
    },
  }
}

/** Where GraphQL is spoken on that server. */
export function graphqlUrl(url: string): string {
  const { origin, pathname } = new URL(url)
  const path = pathname.replace(/\/+$/, '')
  return `${origin}${path.endsWith('/graphql') ? path : `${path}/graphql`}`
}

const REPLY = z.object({
  data: z.unknown().optional(),
  errors: z
    .array(
      z.object({ message: z.string(), extensions: z.object({ code: z.string().optional() }).optional() }),
    )
    .optional(),
})

const LOSS = z.object({
  message: z.string().optional(),
  reason: z.string().optional(),
  code: z.int().optional(),
})

type ReplyErrors = NonNullable<z.output<typeof REPLY>['errors']>

async function ask<Data>(
  endpoint: string,
  { query, variables, shape }: Question<Data>,
  authorization: Record<string, string>,
  signal: AbortSignal,
): Promise<Data> {
  const response = await fetch(endpoint, {
    method: 'POST',
    headers: {
      ...authorization,
      'content-type': 'application/json',
      accept: 'application/graphql-response+json, application/json',
    },
    body: JSON.stringify({ query, variables }),
    signal,
  })
  const reply = REPLY.safeParse(await response.json().catch(() => undefined))
  if (!reply.success) {
    throw new RequestRefused(`${endpoint} answered ${response.status}, and not as a GraphQL server.`)
  }
  return readData(reply.data, shape)
}

async function* watch(
  taskId: string,
  subscribe: (variables: Record<string, unknown>) => AsyncIterable<unknown>,
  signal: AbortSignal,
): AsyncGenerator<TaskEvent> {
  let after: string | undefined
  let isOver = false
  for (let losses = 0; !signal.aborted;) {
    try {
      for await (const reply of subscribe({ id: taskId, ...(after !== undefined && { after }) })) {
        const { taskEvents: event } = readData(REPLY.parse(reply), TASK_EVENTS_REPLY)
        losses = 0
        after = event.cursor
        isOver = isFinished(event.status ?? event.task.status)
        yield event
      }
      if (isOver) return
      // A server that shuts down ends its streams in good order.
      throw new Error('The server ended the stream before the task had ended.')
    } catch (error) {
      const final = finalError(error)
      if (final !== undefined || ++losses > RECONNECTS) throw final ?? lost(error)
      await systemClock.sleep(RECONNECT_AFTER_MS * 2 ** (losses - 1), signal)
    }
  }
  throw signal.reason
}

async function download(url: URL, signal: AbortSignal): Promise<Uint8Array> {
  const response = await fetch(url, { signal })
  if (!response.ok) throw new RequestRefused(`${url.href} answered ${response.status} instead of an image.`)
  return new Uint8Array(await response.arrayBuffer())
}

function readData<Data>({ data, errors }: z.output<typeof REPLY>, shape: z.ZodType<Data>): Data {
  if (errors !== undefined && errors.length > 0) throw refused(errors)
  const read = shape.safeParse(data)
  if (read.success) return read.data
  throw new RequestRefused(`The server's answer has an unexpected shape: ${z.prettifyError(read.error)}`)
}

/** What no new connection would cure; undefined when one might. graphql-ws throws the server's errors as an array. */
function finalError(error: unknown): RequestRefused | undefined {
  if (error instanceof RequestRefused) return error
  const errors = REPLY.shape.errors.safeParse(error)
  return errors.success && errors.data ? refused(errors.data) : undefined
}

function refused(errors: ReplyErrors): RequestRefused {
  return new RequestRefused(
    errors
      .map(({ message, extensions }) => (extensions?.code ? `${message} (${extensions.code})` : message))
      .join(' '),
  )
}

/** A lost WebSocket is thrown as its error or close event, and neither is an Error. */
function lost(thrown: unknown): Error {
  if (thrown instanceof Error) return thrown
  const { message, reason, code } = LOSS.safeParse(thrown).data ?? {}
  const why = message || reason || code
  return new Error(
    `The connection to the server was lost${why ? ` (${why})` : ''}, ${RECONNECTS + 1} times in a row.`,
  )
}
