// Subscriptions over Server-Sent Events: github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md, "Distinct connections mode".
import { findRefusal, OperationRefused } from './graphql.ts'

/**
 * Results of a subscription, until the server completes it. Throws OperationRefused, and if the connection
 * ends before. Send the request with `accept: text/event-stream`.
 */
export async function* readEventStream(response: Response): AsyncGenerator {
  if (!response.headers.get('content-type')?.startsWith('text/event-stream') || response.body === null)
    throw await refusalIn(response)
  for await (const { event, data } of framesOf(response.body)) {
    if (event === 'complete') return
    if (event === 'next') yield JSON.parse(data)
  }
  throw new Error('The connection ended before the subscription was complete.')
}

async function refusalIn(response: Response): Promise<Error> {
  const body: unknown = await response.json().catch(() => undefined)
  const errors = typeof body === 'object' && body !== null && 'errors' in body ? body.errors : undefined
  return (
    findRefusal(errors) ??
    new OperationRefused(
      `${response.url} returned status ${response.status} instead of events.`,
      response.status === 503 ? 'SERVICE_UNAVAILABLE' : undefined,
    )
  )
}

/** https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream, as far as GraphQL uses it. */
async function* framesOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<{ event: string; data: string }> {
  const decoder = new TextDecoder()
  let buffer = ''
  for await (const chunk of body) {
    buffer += decoder.decode(chunk, { stream: true })
    const frames = buffer.split('\n\n')
    buffer = frames.pop() ?? ''
    for (const frame of frames) {
      const fields = frame.split('\n').map((line) => /^(\w+): ?(.*)$/.exec(line))
      const read = (name: string) =>
        fields.flatMap((field) => (field?.[1] === name ? [field[2] ?? ''] : [])).join('\n')
      yield { event: read('event'), data: read('data') }
    }
  }
}
