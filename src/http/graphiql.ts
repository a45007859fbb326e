// What a person meets at /graphql in a browser: GraphiQL from our own bundle, with the operations that show the
// main job.
import { renderGraphiQL } from '@graphql-yoga/render-graphiql'

const GENERATE = `# 1 · Ask. The task comes back at once; copy its id into the next tab.
mutation Generate {
  generateImage(
    input: {
      prompt: "a red fox in the snow"
      size: "1024x1024"
      quality: MEDIUM
      partialImages: 3
    }
  ) {
    id
    status
    warnings { message }
  }
}
`

const WATCH = `# 2 · Watch it develop. Put the task's id into the variables below.
#     Leave and come back whenever you like: pass the last cursor as "after", and nothing is missed.
subscription Watch($task: ID!, $after: String) {
  taskEvents(taskId: $task, after: $after) {
    __typename
    cursor
    task { status progress }
    ... on PartialImageReceived {
      partialImage { index image { url(width: 512) } }
    }
    ... on TaskFinished {
      status
      task { images { url width height } usage { totalTokens } costMicros }
    }
  }
}
`

const RESUME = `# 3 · Resume. Put the cursor of the last event you saw into the variables: what comes is exactly the rest.
#     It works after a lost connection, after the end, and from another server on the same database.
subscription Resume($task: ID!, $after: String!) {
  taskEvents(taskId: $task, after: $after) {
    __typename
    cursor
    at
    task { status progress }
  }
}
`

const LOOK = `# 4 · Look back: what happened to the latest tasks, and what did they cost?
query Look {
  tasks(first: 5) {
    nodes {
      id
      status
      prompt
      charged
      costMicros
      images { url(width: 256, format: WEBP) thumbhash }
      attempts { number state charged provider { name } wirePhase }
      events { __typename cursor at }
    }
    feedCursor
  }
}
`

export const graphiql = {
  title: 'Darkroom',
  subscriptionsProtocol: 'WS' as const,
  defaultTabs: [
    { query: GENERATE },
    { query: WATCH, variables: '{\n  "task": "task_…"\n}' },
    { query: RESUME, variables: '{\n  "task": "task_…",\n  "after": "the last cursor you saw"\n}' },
    { query: LOOK },
  ],
}

export { renderGraphiQL }
