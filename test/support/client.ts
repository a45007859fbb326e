import { createClient as createSseClient } from 'graphql-sse'
import { createClient as createWsClient } from 'graphql-ws'
import { WebSocket } from 'ws'

export interface Result<Data> {
  data?: Data | null
  errors?: { message: string; path?: (string | number)[]; extensions?: Record<string, unknown> }[]
}

export type Transport = 'WebSocket' | 'SSE'

/** Every guarantee about subscriptions holds on each. */
export const TRANSPORTS: Transport[] = ['WebSocket', 'SSE']

export interface Client {
  /** Sends an operation with POST. */
  execute<Data = Record<string, never>>(
    query: string,
    variables?: Record<string, unknown>,
  ): Promise<Result<Data>>
  /** Sends an operation with POST and returns its data. Throws when there are errors. */
  get<Data>(query: string, variables?: Record<string, unknown>): Promise<Data>
  /** Starts a task and returns its id. */
  generate(input: Record<string, unknown>): Promise<string>
  /** Waits for the end of a task, or for an unknown outcome, with a subscription. */
  ended(taskId: string): Promise<{ status: string }>
  /** Subscribes over a connection of its own, which ends with the loop. */
  watch<Data>(
    transport: Transport,
    query: string,
    variables?: Record<string, unknown>,
  ): AsyncIterableIterator<Result<Data>>
}

/** `headers` are sent with every request; over a WebSocket they are the connection parameters. */
export function createClient(url: string, headers: Record<string, string> = {}): Client {
  const client: Client = {
    async execute(query, variables) {
      const response = await fetch(`${url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify({ query, variables }),
      })
      return (await response.json()) as never
    },

    async get(query, variables) {
      const { data, errors } = await client.execute(query, variables)
      if (errors || !data) throw new Error(JSON.stringify(errors))
      return data as never
    },

    async generate(input) {
      const { generateImage } = await client.get<{ generateImage: { task: { id: string } } }>(
        'mutation ($input: GenerateImageInput!) { generateImage(input: $input) { task { id } } }',
        { input },
      )
      return generateImage.task.id
    },

    async ended(taskId) {
      const watching = client.watch<{ taskEvents: { task: { status: string } } }>(
        'SSE',
        'subscription ($taskId: ID!) { taskEvents(taskId: $taskId) { task { status } } }',
        { taskId },
      )
      for await (const { data } of watching) {
        const status = data?.taskEvents.task.status
        if (status && !['QUEUED', 'RUNNING'].includes(status)) return { status }
      }
      throw new Error(`The events of ${taskId} ended before the task.`)
    },

    watch(transport, query, variables = {}) {
      return (transport === 'WebSocket' ? overWebSocket(url, headers) : overSse(url, headers))(
        query,
        variables,
      ) as never
    },
  }
  return client
}

function overWebSocket(url: string, connectionParams: Record<string, string>) {
  return async function* watch(query: string, variables: Record<string, unknown>) {
    const client = createWsClient({
      url: `${url.replace('http', 'ws')}/graphql`,
      webSocketImpl: WebSocket,
      retryAttempts: 0,
      connectionParams,
    })
    try {
      yield* client.iterate({ query, variables })
    } finally {
      await client.dispose()
    }
  }
}

function overSse(url: string, headers: Record<string, string>) {
  return async function* watch(query: string, variables: Record<string, unknown>) {
    const client = createSseClient({ url: `${url}/graphql`, retryAttempts: 0, headers })
    try {
      yield* client.iterate({ query, variables })
    } finally {
      client.dispose()
    }
  }
}
