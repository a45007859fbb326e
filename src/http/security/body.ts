import { Readable } from 'node:stream'
import type { Clock } from '../../clock.ts'
import { requestError } from '../refusal.ts'
import type { Reservation } from './body-budget.ts'

/** The largest image (20 MB) needs 27 MB as a data URL. */
export const MAX_JSON_BYTES = 32 * 1024 * 1024

export const MAX_UPLOAD_BYTES = 60 * 1024 * 1024

/** Up to this size without reservation. */
const MAX_FREE_BYTES = 64 * 1024

/** With a reservation: so long, and longer by its bytes at the slowest rate. */
const GRACE_MS = 10_000
const MIN_BYTES_PER_MS = 16

/** Null for a body of unknown length. */
export function lengthOf({ headers }: Request): number | null {
  const length = headers.get('content-length')
  return length === null ? null : Number(length)
}

/**
 * Undefined for a body over `maxBytes`. A large one waits for `reserve`. Throws what `reserve` throws, and
 * REQUEST_TIMEOUT.
 */
export async function readBody(
  request: Request,
  {
    maxBytes,
    clock,
    reserve,
  }: { maxBytes: number; clock: Clock; reserve: (bytes: number) => Promise<Reservation> },
): Promise<Buffer<ArrayBuffer> | undefined> {
  const length = lengthOf(request) ?? 0
  if (length > maxBytes) return undefined
  let reservation = length > MAX_FREE_BYTES ? await reserve(length) : undefined
  const chunks: Uint8Array[] = []
  let received = 0
  for await (const chunk of readChunks(request, clock, () => reservation !== undefined)) {
    received += chunk.byteLength
    if (received > maxBytes) return undefined
    if (received > MAX_FREE_BYTES) reservation ??= await reserve(maxBytes)
    chunks.push(chunk)
  }
  reservation?.shrink(received)
  return Buffer.concat(chunks)
}

/**
 * Reads no further than chunks are taken, and leaves the connection open for the response when the loop is
 * left. Throws REQUEST_TIMEOUT for a body that arrives too slowly while it `holds` a reservation.
 */
export async function* readChunks(
  request: Request,
  clock: Clock,
  holds: () => boolean = () => true,
): AsyncGenerator<Uint8Array> {
  const chunks = iterate(request)
  if (!chunks) return
  let [receivedBytes, waitedMs] = [0, 0]
  try {
    for (;;) {
      const next = chunks.next()
      const startedAt = clock.monotonic()
      const limitMs = GRACE_MS + receivedBytes / MIN_BYTES_PER_MS - waitedMs
      const { done, value } = await (holds() ? within(next, limitMs, clock) : next)
      if (done) return
      waitedMs += clock.monotonic() - startedAt
      receivedBytes += value.byteLength
      yield value
    }
  } finally {
    // It waits for a chunk that may never arrive.
    void chunks.return?.()
  }
}

async function within<T>(next: Promise<T>, ms: number, clock: Clock): Promise<T> {
  const arrived = new AbortController()
  const late = clock.sleep(ms, arrived.signal).then(() => {
    if (!arrived.signal.aborted) throw requestError('REQUEST_TIMEOUT', 'The body arrives too slowly.')
    return next
  })
  return Promise.race([next, late]).finally(() => arrived.abort())
}

/** Its end keeps the stream, and so the connection, open. */
function iterate({ body }: Request): AsyncIterator<Uint8Array, unknown> | undefined {
  if (body === null) return undefined
  // A body from node:http wraps Node's stream.
  const wrapped: unknown = Reflect.get(body, 'readable')
  return wrapped instanceof Readable
    ? wrapped.iterator({ destroyOnReturn: false })
    : body.values({ preventCancel: true })
}

/** A kilobyte of gzip can become a gigabyte. */
export function encodingProblem({ headers }: Request): string | undefined {
  const encoding = headers.get('content-encoding')
  if (encoding === null || encoding.trim().toLowerCase() === 'identity') return undefined
  return `The content-encoding is "${encoding.slice(0, 60)}". Send the body uncompressed.`
}
