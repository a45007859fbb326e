import { z } from 'zod'

const STARTED = z.object({
  data: z.object({ generateImage: z.object({ task: z.object({ id: z.string() }) }) }),
})

/** Requests an image with `input` as a GraphQL literal, and returns the id of the task. */
export async function generate(url: string, input: string): Promise<string> {
  const response = await ask(url, `mutation { generateImage(input: ${input}) { task { id } } }`)
  return STARTED.parse(await response.json()).data.generateImage.task.id
}

/** Waits for the end of a task with Server-Sent Events. Throws unless it succeeded. */
export async function succeeded(url: string, taskId: string): Promise<void> {
  const query = `subscription { taskEvents(taskId: "${taskId}") { task { status } } }`
  const events = await (await post(url, query, 'text/event-stream')).text()
  if (!events.includes('"SUCCEEDED"')) throw new Error(`The task ${taskId} did not succeed.`)
}

/** Sends a query or mutation. */
export function ask(url: string, query: string): Promise<Response> {
  return post(url, query, 'application/json')
}

function post(url: string, query: string, accept: string): Promise<Response> {
  const headers = { 'content-type': 'application/json', accept }
  return fetch(url, { method: 'POST', headers, body: JSON.stringify({ query }) })
}
