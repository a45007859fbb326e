import { createClient as createSseClient } from 'graphql-sse'
import { createClient as createWsClient } from 'graphql-ws'
import { WebSocket } from 'ws'

export interface Result<Data> {
  data?: Data | null
  errors?: { message: string; path?: (string | number)[]; extensions?: Record<string, unknown> }[]
}

export type Transport = 'WebSocket' | 'SSE'

/** Both ways to watch. Every promise about subscriptions is kept on each. */
export const TRANSPORTS: Transport[] = ['WebSocket', 'SSE']

export interface Client {
  /** Sends an operation by POST. */
  ask<Data = Record<string, never>>(query: string, variables?: Record<string, unknown>): Promise<Result<Data>>
  /** The same, and its data. Throws when there are errors. */
  get<Data>(query: string, variables?: Record<string, unknown>): Promise<Data>
  /** Starts a task and answers its id. */
  generate(input: Record<string, unknown>): Promise<string>
  /** Waits until a task has ended or stands as unknown, by watching it. */
  ended(taskId: string): Promise<{ status: string }>
  /** Subscribes over a real connection; leave the loop to hang up. */
  watch<Data>(
    transport: Transport,
    query: string,
    variables?: Record<string, unknown>,
  ): AsyncIterableIterator<Result<Data>>
}

/** `headers` go with everything: over a WebSocket as its connection parameters. */
export function createClient(url: string, headers: Record<string, string> = {}): Client {
  const client: Client = {
    async ask(query, variables) {
      const response = await fetch(`${url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify({ query, variables }),
      })
      return (await response.json()) as never
    },

    async get(query, variables) {
      const { data, errors } = await client.ask(query, variables)
      if (errors || !data) throw new Error(JSON.stringify(errors))
      return data as never
    },

    async generate(input) {
      const { generateImage } = await client.get<{ generateImage: { id: string } }>(
        'mutation ($input: GenerateImageInput!) { generateImage(input: $input) { id } }',
        { input },
      )
      return generateImage.id
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
      throw new Error(`The log of ${taskId} ended without an end.`)
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
