// A server with the part of the schema that the demo uses. Its tasks end as configured.
import { once } from 'node:events'
import { createServer } from 'node:http'
import { GraphQLError } from 'graphql'
import { useServer } from 'graphql-ws/use/ws'
import { createSchema, createYoga } from 'graphql-yoga'
import sharp from 'sharp'
import { WebSocketServer } from 'ws'

export interface FakeServer extends AsyncDisposable {
  url: string
  /** The `after` of each subscription, in order. */
  resumes: (string | undefined)[]
  /** The inputs of generateImage. */
  inputs: Record<string, unknown>[]
}

export interface FakeResult {
  status: 'SUCCEEDED' | 'FAILED' | 'OUTCOME_UNKNOWN'
  charged: 'NO' | 'YES' | 'UNKNOWN'
  costMicros?: string
  error?: { code: string; message: string; charged: string; retryable: boolean }
  /** Closes every connection after this many events, once. */
  dropAfter?: number
  /** Absolute, at another address. */
  imageUrl?: string
}

const TYPES = /* GraphQL */ `
  scalar DateTime
  scalar BigInt
  scalar URL
  scalar ImageSize
  enum TaskStatus {
    QUEUED
    RUNNING
    OUTCOME_UNKNOWN
    SUCCEEDED
    FAILED
    CANCELED
  }
  enum OutputFormat {
    PNG
    JPEG
    WEBP
  }
  enum Quality {
    AUTO
    LOW
    MEDIUM
    HIGH
    STANDARD
    HD
    XHIGH
    MAX
  }
  input GenerateImageInput {
    prompt: String!
    size: ImageSize
    quality: Quality
    n: Int
    partialImages: Int
    model: String
    outputFormat: OutputFormat
    providers: [String!]
    idempotencyKey: String
  }
  type Image {
    id: ID!
    url: URL!
    width: Int!
    height: Int!
    byteSize: Int!
    mimeType: String!
    revisedPrompt: String
  }
  type PartialImage {
    index: Int!
    image: Image!
  }
  type Provider {
    name: String!
    dialect: String!
  }
  type Details {
    textTokens: Int
    imageTokens: Int
  }
  type Usage {
    inputTokens: Int
    outputTokens: Int
    totalTokens: Int
    source: String!
    inputTokensDetails: Details
    outputTokensDetails: Details
  }
  type TaskError {
    code: String!
    message: String!
    charged: String!
    retryable: Boolean!
  }
  type Warning {
    code: String!
    field: String
    message: String!
  }
  type Attempt {
    number: Int!
    state: String!
  }
  type Task {
    id: ID!
    status: TaskStatus!
    progress: Float!
    queuePosition: Int
    provider: Provider
    model: String!
    images: [Image!]!
    usage: Usage
    costMicros: BigInt
    charged: String!
    error: TaskError
    warnings: [Warning!]!
    attempts: [Attempt!]!
    createdAt: DateTime!
    startedAt: DateTime
    finishedAt: DateTime
  }
  interface TaskEvent {
    cursor: String!
    at: DateTime!
    task: Task!
  }
  type TaskProgressed implements TaskEvent {
    cursor: String!
    at: DateTime!
    task: Task!
  }
  type PartialImageReceived implements TaskEvent {
    cursor: String!
    at: DateTime!
    task: Task!
    partialImage: PartialImage!
  }
  type TaskFinished implements TaskEvent {
    cursor: String!
    at: DateTime!
    task: Task!
    status: TaskStatus!
  }
  type Query {
    task(id: ID!): Task
  }
  type Mutation {
    generateImage(input: GenerateImageInput!): GenerateImagePayload
  }
  type GenerateImagePayload {
    task: Task
  }
  type Subscription {
    taskEvents(taskId: ID!, after: String): TaskEvent!
  }
`

/** Starts a server on a free loopback port. */
export async function startFakeServer(result: FakeResult): Promise<FakeServer> {
  const png = await sharp({ create: { width: 64, height: 48, channels: 3, background: '#c33' } })
    .png()
    .toBuffer()
  const image = {
    id: 'img_1',
    url: result.imageUrl ?? '/assets/1.png',
    width: 64,
    height: 48,
    byteSize: png.length,
    mimeType: 'image/png',
  }
  const isFinished = result.status !== 'OUTCOME_UNKNOWN'
  const task = {
    id: 'task_1',
    model: 'gpt-image-2',
    provider: { name: 'fake', dialect: 'fake' },
    images: result.status === 'SUCCEEDED' ? [image] : [],
    warnings: [{ code: 'SETTING_CHANGED', field: 'size', message: 'The size became 64x48.' }],
    attempts: [{ number: 1, state: 'SUCCEEDED' }],
    createdAt: '2026-11-20T10:00:00.000Z',
    finishedAt: isFinished ? '2026-11-20T10:00:02.000Z' : null,
    startedAt: '2026-11-20T10:00:00.500Z',
    ...result,
  }
  const running = { ...task, status: 'RUNNING' }
  const at = task.createdAt
  const events = [
    { __typename: 'TaskProgressed', cursor: 'c1', at, task: { ...running, progress: 0.2 } },
    {
      __typename: 'PartialImageReceived',
      cursor: 'c2',
      at,
      task: { ...running, progress: 0.5 },
      partialImage: { index: 0, image },
    },
    isFinished
      ? {
          __typename: 'TaskFinished',
          cursor: 'c3',
          at,
          task: { ...task, progress: 1 },
          status: result.status,
        }
      : { __typename: 'TaskProgressed', cursor: 'c3', at, task: { ...task, progress: 0.5 } },
  ]
  const resumes: FakeServer['resumes'] = []
  const inputs: FakeServer['inputs'] = []
  let dropAfter = result.dropAfter

  async function* stream(_: unknown, { after }: { after?: string }) {
    resumes.push(after)
    for (const event of events.slice(events.findIndex(({ cursor }) => cursor === after) + 1)) {
      yield { taskEvents: event }
      if (event.cursor !== `c${dropAfter}`) continue
      dropAfter = undefined
      for (const socket of sockets.clients) socket.terminate()
    }
    // A task whose outcome is unknown stays open.
    if (!isFinished) await ended.promise
  }

  const refusal = new GraphQLError('The size must be auto or WIDTHxHEIGHT.', {
    extensions: { code: 'BAD_USER_INPUT', field: 'size' },
  })
  const schema = createSchema({
    typeDefs: TYPES,
    resolvers: {
      Query: { task: () => task },
      Mutation: {
        generateImage: (_: unknown, { input }: { input: Record<string, unknown> }) => {
          if (input['prompt'] === 'refuse me') throw refusal
          inputs.push(input)
          return { task: { ...task, status: 'QUEUED' } }
        },
      },
      Subscription: { taskEvents: { subscribe: stream } },
    },
  })
  const yoga = createYoga({ schema, logging: false })
  const ended = Promise.withResolvers<void>()
  const server = createServer((request, response) => {
    if (request.url === image.url) response.setHeader('content-type', 'image/png').end(png)
    else if (request.url === '/graphql') void yoga(request, response)
    else response.writeHead(404).end('Not here.')
  })
  const sockets = new WebSocketServer({ server, path: '/graphql' })
  useServer({ schema }, sockets)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0

  return {
    url: `http://127.0.0.1:${port}`,
    resumes,
    inputs,
    async [Symbol.asyncDispose]() {
      ended.resolve()
      for (const socket of sockets.clients) socket.terminate()
      sockets.close()
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
