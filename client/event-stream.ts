// Over fetch, because EventSource sends neither a POST nor a key:
// html.spec.whatwg.org/multipage/server-sent-events.html
import { createDeadline } from './deadline.ts'
import { parseResult, readResult, type Endpoint } from './endpoint.ts'
import { connectionLost, createError, DarkroomError } from './errors.ts'
import type { Transport } from './subscription.ts'

/** One request per subscription: distinct connections mode of graphql-sse. */
export function createEventStreamTransport(endpoint: Endpoint, silenceMs: number): Transport {
  return async function* subscribe(operation, { signal, onOpen }) {
    const headers = {
      ...(await endpoint.headers()),
      accept: 'text/event-stream',
      'content-type': 'application/json',
    }
    const deadline = createDeadline(silenceMs, signal)
    try {
      const response = await endpoint.fetch(endpoint.url, {
        method: 'POST',
        headers,
        body: JSON.stringify(operation),
        cache: 'no-store',
        signal: deadline.signal,
      })
      if (!response.body || !response.headers.get('content-type')?.startsWith('text/event-stream')) {
        yield await readResult(response)
        return
      }
      for await (const events of readEvents(response.body, deadline.signal)) {
        deadline.restart()
        onOpen()
        for (const { event, data } of events) {
          if (event === 'complete') return
          const result = parseResult(data)
          if (!result)
            throw createError('BAD_RESPONSE', 'The event stream contains an event that is not JSON.')
          // Not while the reader takes its time.
          deadline.stop()
          yield result
          deadline.restart()
        }
      }
    } catch (error) {
      if (error instanceof DarkroomError) throw error
      throw connectionLost('The event stream broke.', error)
    } finally {
      deadline.stop()
    }
    throw connectionLost('The event stream ended before it was complete.')
  }
}

interface StreamEvent {
  event: string
  data: string
}

/** Possibly none: comments only show that the connection is alive. */
async function* readEvents(
  body: ReadableStream<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<StreamEvent[], void> {
  const reader = body.getReader()
  const decoder = new TextDecoder()
  const parse = createParser()
  // Not awaited: a stalled connection would keep the caller waiting.
  const cancel = () => void reader.cancel().catch(() => undefined)
  signal.addEventListener('abort', cancel, { once: true })
  try {
    for (;;) {
      const { done, value } = await reader.read()
      signal.throwIfAborted()
      if (done) return
      yield parse(decoder.decode(value, { stream: true }))
    }
  } finally {
    signal.removeEventListener('abort', cancel)
    cancel()
  }
}

/** Takes a stream's text piece by piece, and returns the events that each completes. */
export function createParser(): (text: string) => StreamEvent[] {
  let rest = ''
  let event = ''
  let data: string[] = []
  return (text) => {
    const events: StreamEvent[] = []
    const lines = (rest + text).split(/\r\n|\n|\r(?!$)/)
    rest = lines.pop() ?? ''
    for (const line of lines) {
      const [, field, value = ''] = /^(\w+)(?:: ?(.*))?$/.exec(line) ?? []
      if (field === 'event') event = value
      if (field === 'data') data.push(value)
      if (line !== '' || (event === '' && data.length === 0)) continue
      events.push({ event: event || 'message', data: data.join('\n') })
      event = ''
      data = []
    }
    return events
  }
}
