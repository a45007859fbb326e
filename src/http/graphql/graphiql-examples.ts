// Short comments: the editor does not wrap them.

const GENERATE = `# 1 · Create a task. The response has its id:
#     copy it into the next tab.
#
# If the server requires a key, enter it under
# "Headers" below:
#   { "Authorization": "Bearer dk_live_…" }
# The operator's key shows the documentation:
# then press "Re-fetch GraphQL schema", left.
mutation Generate {
  generateImage(
    input: {
      prompt: "a red fox in the snow"
      size: "1024x1024"
      quality: MEDIUM
      partialImages: 3
    }
  ) {
    task {
      id
      status
      warnings { message }
    }
  }
}
`

const WATCH = `# 2 · Watch the task: enter its id below, in
#     the variables. It shows the latest event.
#     After a disconnect, pass the last cursor
#     as "after" to receive all missed events.
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

const RESUME = `# 3 · All events of a task, in one response.
#     With the cursor of an event as "after":
#     only those after it.
query Resume($task: ID!, $after: String) {
  task(id: $task) {
    status
    events(first: 100, after: $after) {
      nodes {
        __typename
        cursor
        at
        ... on TaskProgressed { progress }
        ... on PartialImageReceived {
          partialImage { index image { url(width: 512) } }
        }
        ... on TaskFinished { status }
      }
    }
  }
}
`

const LIST = `# 4 · The latest tasks, with their attempts,
#     events and costs.
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
      events { nodes { __typename cursor at } }
    }
    feedCursor
  }
}
`

const USAGE = `# 5 · Usage and cost by day and model,
#     in millionths of a US dollar.
#     An unknown cost is in no sum.
query Usage($from: DateTime!, $to: DateTime!) {
  usage(from: $from, to: $to, groupBy: [DAY, MODEL]) {
    rows {
      day { startsAt }
      model
      tasks
      images
      totalTokens
      costMicros
      attemptsWithUnknownCost
    }
    totals { tasks images costMicros heldMicros }
  }
}
`

/** Of a calendar year, so that the page is the same for months. */
function usageVariables(year: number): string {
  return json({ from: `${year}-01-01T00:00:00Z`, to: `${year + 1}-01-01T00:00:00Z` })
}

export function exampleTabs(year: number): { query: string; variables?: string }[] {
  return [
    { query: GENERATE },
    { query: WATCH, variables: json({ task: 'task_…' }) },
    { query: RESUME, variables: json({ task: 'task_…' }) },
    { query: LIST },
    { query: USAGE, variables: usageVariables(year) },
  ]
}

function json(value: object): string {
  return JSON.stringify(value, null, 2)
}
