import { z } from 'zod'
import { spillJson } from '../wire/json-spill.ts'
import { ProviderError } from '../error.ts'
import type { Reply } from '../wire/http.ts'
import { MalformedReply } from '../wire/malformed.ts'
import type { Answer, Call, ProviderRequest } from '../provider.ts'
import { errorIn, streamFailure, type ErrorContext } from './failure.ts'
import { chosen, hasPicture, picture, receive, toResolved, type FetchLink } from './picture.ts'
import { readStream } from './stream.ts'
import { toUsage } from './usage.ts'

const imagesReply = z.object({
  ...chosen.shape,
  data: z.array(picture).catch([]),
  usage: z.unknown().optional(),
})

/** What is needed to read a reply. */
export interface ReplyContext extends ErrorContext {
  fetchLink: FetchLink
  /** Takes off what a server wraps around its JSON. */
  unwrap: (json: unknown) => unknown
}

/**
 * A successful status's body as the answer, be it JSON or a stream: the first character tells, since some servers stream
 * without saying so and some say so and do not. Throws ProviderError: a reply that is neither is `broken`, and whether it
 * was charged is unknown.
 */
export async function readAnswer(
  reply: Reply,
  request: ProviderRequest,
  call: Call,
  context: ReplyContext,
): Promise<Answer> {
  const { first, body } = await peek(reply.body)
  try {
    if (STREAM_STARTS.has(first)) return await readStream(body, request, call, context)
    return await readJson(body, call, context)
  } catch (error) {
    if (error instanceof MalformedReply) throw broken(error, reply.contentType, context)
    throw error
  }
}

// How a line of a stream can begin: data, event, id, retry, or a comment's colon. No JSON begins with any of them.
const STREAM_STARTS = new Set(['d', 'e', 'i', 'r', ':'])

async function readJson(body: AsyncIterable<Buffer>, call: Call, context: ReplyContext): Promise<Answer> {
  const json = context.unwrap(await spillJson(body, () => call.newFile()))
  // An error with a status of success: the code says what it was, and nothing says that no work was done.
  const error = errorIn(json)
  if (error) throw streamFailure(error, context, 'pictures')
  const parsed = imagesReply.safeParse(json)
  const pictures = parsed.success ? parsed.data.data.filter(hasPicture) : []
  if (!parsed.success || pictures.length === 0) throw new MalformedReply('has no image')
  return {
    state: 'DONE',
    images: await receive(pictures, context.provider, context.fetchLink),
    usage: toUsage(parsed.data.usage),
    resolved: toResolved(parsed.data),
  }
}

/** The first character that is not white space, '' for an empty body, and the whole body again. */
async function peek(body: AsyncIterable<Buffer>): Promise<{ first: string; body: AsyncIterable<Buffer> }> {
  const chunks = body[Symbol.asyncIterator]()
  const held: Buffer[] = []
  for (let next = await chunks.next(); !next.done; next = await chunks.next()) {
    held.push(next.value)
    const first = next.value
      .toString('latin1')
      .replace(/^\u00ef\u00bb\u00bf/, '')
      .trimStart()
      .charAt(0)
    if (first !== '') return { first, body: resume(held, chunks) }
  }
  return { first: '', body: resume(held, chunks) }
}

async function* resume(held: Buffer[], chunks: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  try {
    yield* held.splice(0)
    for (let next = await chunks.next(); !next.done; next = await chunks.next()) yield next.value
  } finally {
    await chunks.return?.()
  }
}

function broken(error: MalformedReply, contentType: string, { provider, status, requestId }: ErrorContext) {
  return new ProviderError({
    kind: 'broken',
    code: 'PROVIDER_BROKEN',
    message: `${provider} answered with status ${status}, but its reply (${contentType || 'of no type'}) ${error.message}.`,
    charged: 'UNKNOWN',
    httpStatus: status,
    providerRequestId: requestId,
    cause: error,
  })
}
