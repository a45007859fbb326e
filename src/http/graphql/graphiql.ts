import { createHash } from 'node:crypto'
import { renderGraphiQL } from '@graphql-yoga/render-graphiql'
// Unlike the global class, it sends the bytes without a copy.
import { Response } from '@whatwg-node/server'
import type { Client } from '../security/client.ts'

const GENERATE = `# If the server has API keys, open "Headers" below and enter { "Authorization": "Bearer dk_live_…" }.
#
# 1 · Create a task. The response has its id; copy it into the next tab.
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

const WATCH = `# 2 · Watch the task. Enter its id in the variables below.
#     After a disconnect, pass the last cursor as "after" to receive all missed events.
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

const RESUME = `# 3 · Resume. Enter the cursor of the last received event in the variables.
#     Works after a disconnect, after the end of the task, and on another server with the same database.
subscription Resume($task: ID!, $after: String!) {
  taskEvents(taskId: $task, after: $after) {
    __typename
    cursor
    at
    task { status progress }
  }
}
`

const LIST = `# 4 · List the latest tasks with their attempts, events and costs.
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

export const graphiql = {
  title: 'Darkroom',
  // GraphiQL sends the headers of its editor over event streams, but not over a WebSocket.
  subscriptionsProtocol: 'SSE' as const,
  defaultTabs: [
    { query: GENERATE },
    { query: WATCH, variables: '{\n  "task": "task_…"\n}' },
    { query: RESUME, variables: '{\n  "task": "task_…",\n  "after": "cursor of the last event"\n}' },
    { query: LIST },
  ],
}

/** Undefined unless the request accepts HTML. */
export type Page = (request: Request, client: Client) => Response | undefined

/** Renders the page, which has 9 MB, on the first request. */
export function createPage(): Page {
  let page: Uint8Array<ArrayBuffer> | undefined
  let scripts = ''
  return ({ method, headers }, { origin }) => {
    if (method !== 'GET' || !headers.get('accept')?.includes('text/html')) return undefined
    if (page === undefined) {
      const html = renderGraphiQL(graphiql)
      scripts = scriptHashes(html)
      page = new TextEncoder().encode(html)
    }
    return new Response(page, {
      headers: {
        'content-type': 'text/html; charset=utf-8',
        'content-length': String(page.byteLength),
        'content-security-policy': policy(scripts, new URL(origin).host),
      },
    })
  }
}

function policy(scripts: string, host: string): string {
  return [
    "default-src 'none'",
    `script-src ${scripts}`,
    // The Monaco editor adds inline styles and starts its workers from blobs.
    "style-src 'unsafe-inline'",
    'worker-src blob:',
    'font-src data:',
    "img-src 'self' data: https:",
    `connect-src 'self' ws://${host} wss://${host}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ')
}

function scriptHashes(html: string): string {
  const scripts = [...html.matchAll(/<script>([\s\S]*?)<\/script>/g)]
  const hashes = scripts.map(([, text = '']) => createHash('sha256').update(text).digest('base64'))
  return hashes.map((hash) => `'sha256-${hash}'`).join(' ')
}
