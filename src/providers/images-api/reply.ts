import type { CallResult, Call, ProviderRequest } from '../provider.ts'
import { spillJson } from '../wire/json-spill.ts'
import { MalformedReply } from '../wire/malformed.ts'
import { isSuccess, readJson, type ProviderReply } from './client.ts'
import { asFailure } from './failure.ts'
import { readImages } from './images.ts'
import { readStream } from './stream.ts'
import { errorIn, statusFailure, streamFailure } from './upstream-error.ts'

/** Takes JSON out of a server's envelope. Throws ProviderError for a failure in it. */
export type Unwrap = (json: unknown, reply: ProviderReply, call: Pick<Call, 'onWire'>) => unknown

const withoutEnvelope: Unwrap = (json) => json

/** Reads a result as JSON or as a stream. Throws ProviderError. */
export async function readResult(
  reply: ProviderReply,
  request: ProviderRequest,
  call: Call,
  unwrap = withoutEnvelope,
): Promise<CallResult> {
  if (!isSuccess(reply)) throw statusFailure(unwrap(await readJson(reply, call), reply, call), reply)
  try {
    const { first, body } = await peek(reply.body)
    // Some servers stream without declaring it, and some declare it and do not.
    if (STREAM_STARTS.has(first)) return await readStream(body, request, call, reply)
    const json = unwrap(await spillJson(body, () => call.newFile()), reply, call)
    const error = errorIn(json)
    // Despite the error, work may have been done.
    if (error) throw streamFailure(error, reply, 'IMAGES')
    const done = await readImages(json, 'SUBMIT', reply)
    if (!done) throw new MalformedReply('has no image')
    return done
  } catch (error) {
    throw asFailure(error, 'SUBMIT', reply)
  }
}

/** Lines of a stream begin with data, event, id, retry or a colon. JSON does not. */
const STREAM_STARTS = new Set(['d', 'e', 'i', 'r', ':'])

/** The first character that is not white space, and the whole body. */
async function peek(body: AsyncIterable<Buffer>): Promise<{ first: string; body: AsyncIterable<Buffer> }> {
  const chunks = body[Symbol.asyncIterator]()
  const held: Buffer[] = []
  let first = ''
  while (first === '') {
    const next = await chunks.next()
    if (next.done) break
    held.push(next.value)
    const text = next.value.toString('latin1').replace(/^\u00ef\u00bb\u00bf/, '')
    first = text.trimStart().charAt(0)
  }
  return { first, body: resume(held, chunks) }
}

async function* resume(held: Buffer[], chunks: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  try {
    yield* held.splice(0)
    for (let next = await chunks.next(); !next.done; next = await chunks.next()) yield next.value
  } finally {
    await chunks.return?.()
  }
}
