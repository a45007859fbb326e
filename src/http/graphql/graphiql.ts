// What a person meets at /graphql in a browser: GraphiQL from our own bundle, with the operations that show the
// main job.
import { createHash } from 'node:crypto'
import { renderGraphiQL } from '@graphql-yoga/render-graphiql'
// Sends bytes as they are, where the Response of Node would copy it for each client.
import { Response } from '@whatwg-node/server'
import type { Client } from '../security/client.ts'

const GENERATE = `# Once there are API keys, open "Headers" below and write { "Authorization": "Bearer dk_live_…" } there.
#
# 1 · Ask. The task comes back at once; copy its id into the next tab.
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
  // Over event streams it sends the headers that are written there; over a WebSocket it would not.
  subscriptionsProtocol: 'SSE' as const,
  defaultTabs: [
    { query: GENERATE },
    { query: WATCH, variables: '{\n  "task": "task_…"\n}' },
    { query: RESUME, variables: '{\n  "task": "task_…",\n  "after": "the last cursor you saw"\n}' },
    { query: LOOK },
  ],
}

/** The page for a browser that asks for one; undefined for every other request. */
export type Page = (request: Request, client: Client) => Response | undefined

/** Makes the page when it is first asked for: nine megabytes, the same for everybody. */
export function createPage(): Page {
  let page: Uint8Array<ArrayBuffer> | undefined
  let scripts = ''
  return ({ method, headers }, { origin }) => {
    if (method !== 'GET' || !headers.get('accept')?.includes('text/html')) return undefined
    if (page === undefined) {
      const html = renderGraphiQL(graphiql)
      scripts = hashesOfScripts(html)
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

/** Its own scripts and workers may run and talk to this server; whatever else found its way into the page may not. */
function policy(scripts: string, host: string): string {
  return [
    "default-src 'none'",
    `script-src ${scripts}`,
    // Monaco, the editor, writes its styles into the page and starts its workers from blobs.
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

function hashesOfScripts(html: string): string {
  const scripts = [...html.matchAll(/<script>([\s\S]*?)<\/script>/g)]
  return scripts.map(([, text = '']) => `'sha256-${hashOf(text)}'`).join(' ')
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('base64')
}
