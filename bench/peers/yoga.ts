// graphql-yoga; over a WebSocket with graphql-ws, as its documentation describes. Its own publisher throws as soon as a
// viewer has 1,024 pending events, so stalled viewers would end the process.
import { createServer } from 'node:http'
import { useServer } from 'graphql-ws/use/ws'
import { createYoga } from 'graphql-yoga'
import { WebSocketServer } from 'ws'
import { schemaWith, servePeer } from './peer.ts'
import { createTopic } from './topic.ts'

servePeer(async ({ keepAliveMs }) => {
  const topic = createTopic<unknown>()
  const yoga = createYoga({
    schema: schemaWith(() => topic.subscribe()),
    landingPage: false,
    graphiql: false,
    logging: false,
  })
  const server = createServer((request, response) => void yoga(request, response))
  type Pipeline = ReturnType<typeof yoga.getEnveloped>
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- `onSubscribe` sets it
  const pipelineOf = (args: { rootValue?: unknown }) => args.rootValue as Pipeline
  useServer(
    {
      execute: (args) => pipelineOf(args).execute(args),
      subscribe: (args) => pipelineOf(args).subscribe(args),
      async onSubscribe({ extra }, _id, params) {
        const pipeline = yoga.getEnveloped({ req: extra.request, socket: extra.socket, params })
        const document = pipeline.parse(params.query)
        const errors = pipeline.validate(pipeline.schema, document)
        if (errors.length > 0) return errors
        return {
          schema: pipeline.schema,
          document,
          operationName: params.operationName,
          variableValues: params.variables,
          contextValue: await pipeline.contextFactory(),
          rootValue: pipeline,
        }
      },
    },
    new WebSocketServer({ server, path: '/graphql' }),
    keepAliveMs,
  )
  return { server, publish: (event) => topic.publish({ taskFeed: event }) }
})
