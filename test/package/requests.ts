// Requests of the Fetch API, for a gateway that is called without a network.

type Fetch = (request: Request) => Promise<Response>

/** An operation as a POST request to http://localhost. */
export function post(query: string, variables: object = {}, headers: Record<string, string> = {}): Request {
  return new Request('http://localhost/graphql', {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ query, variables }),
  })
}

/** Creates a task. */
export async function generate(fetch: Fetch, input: object): Promise<{ id: string }> {
  const query = 'mutation ($input: GenerateImageInput!) { generateImage(input: $input) { task { id } } }'
  const response = await fetch(post(query, { input }))
  const { data } = (await response.json()) as { data: { generateImage: { task: { id: string } } } }
  return data.generateImage.task
}

/** A request for the events of a task as Server-Sent Events. */
export function subscribe(id: string): Request {
  const query = 'subscription ($id: ID!) { taskEvents(taskId: $id) { type: __typename } }'
  return post(query, { id }, { accept: 'text/event-stream' })
}

/** The data of every event of a stream that completes. */
export async function eventsOf(response: Response): Promise<{ taskEvents?: { type: string } }[]> {
  const text = await response.text()
  if (!/^event: complete$/m.test(text)) throw new Error(`The stream did not complete: ${text}`)
  return [...text.matchAll(/^data: (\{.*)$/gm)].map(([, json = '']) => JSON.parse(json).data)
}
