// The client of a mounted gateway. Each program prints the result.
import { join } from 'node:path'
import { createClient } from 'graphql-ws'

/** Settings of every gateway here, without environment or file. */
export const SETTINGS = {
  dataDir: join(process.cwd(), `data-${process.pid}`),
  providers: [{ name: 'sandbox', dialect: 'sandbox', durationMs: 0 }],
  allowAnonymous: true,
  logLevel: 'warn',
}

const WATCH = 'subscription ($id: ID!) { taskEvents(taskId: $id) { type: __typename } }'

/** Generates an image at `url`, watches it to the end by Server-Sent Events, and fetches it. */
export async function visit(url, send = fetch) {
  const post = (query, variables, accept) =>
    send(
      new Request(`${url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept },
        body: JSON.stringify({ query, variables }),
      }),
    )
  const get = async (query, variables) =>
    (await (await post(query, variables, 'application/json')).json()).data
  const { generateImage } = await get(
    'mutation { generateImage(input: { prompt: "a lighthouse", partialImages: 1 }) { task { id } } }',
  )
  const { id } = generateImage.task
  const stream = await (await post(WATCH, { id }, 'text/event-stream')).text()
  const events = [...stream.matchAll(/^data: (\{.*)$/gm)].map(
    ([, json]) => JSON.parse(json).data.taskEvents.type,
  )
  const { task } = await get('query ($id: ID!) { task(id: $id) { status images { url } } }', { id })
  const image = await send(new Request(task.images[0].url))
  const bytes = new Uint8Array(await image.arrayBuffer())
  return {
    id,
    status: task.status,
    first: events[0],
    last: events.at(-1),
    completed: /^event: complete$/m.test(stream),
    image: image.headers.get('content-type'),
    signature: String.fromCharCode(...bytes.slice(1, 4)),
  }
}

/** Watches a task that has ended over a WebSocket. Resolves to its last event. */
export async function watchBySocket(url, id) {
  const client = createClient({ url: `${url.replace('http', 'ws')}/graphql`, retryAttempts: 0 })
  let last
  for await (const { data } of client.iterate({ query: WATCH, variables: { id } }))
    last = data.taskEvents.type
  await client.dispose()
  return last
}
