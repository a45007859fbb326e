import { Readable } from 'node:stream'
// Unlike the global class, it accepts a Node stream and sends it without a copy.
import { Response } from '@whatwg-node/server'
import type { RestDeps } from './deps.ts'
import { lengthOfParts, readParts, type BodyPart } from './body.ts'

interface BodyOptions {
  status?: number
  headers: Record<string, string>
  /** A stored image could not be read. Breaks the connection: the response is not complete. */
  abort: () => void
}

/** JSON read from the store while sent. */
export function partsResponse(
  { store, log }: Pick<RestDeps, 'store' | 'log'>,
  parts: readonly BodyPart[],
  { status = 200, headers, abort }: BodyOptions,
): globalThis.Response {
  return streamResponse({ log }, readParts(parts, store), {
    status,
    abort,
    headers: {
      ...headers,
      'content-type': 'application/json',
      'content-length': String(lengthOfParts(parts)),
    },
  })
}

export function streamResponse(
  { log }: Pick<RestDeps, 'log'>,
  chunks: AsyncIterable<Buffer>,
  { status = 200, headers, abort }: BodyOptions,
): globalThis.Response {
  const body = Readable.from(chunks, { objectMode: false })
  body.on('error', (error) => {
    log.error({ err: error }, 'sending a result failed')
    abort()
  })
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return new Response(body as unknown as BodyInit, { status, headers })
}

export const EVENT_STREAM_HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
}
