import { Agent, request } from 'undici'
import { checkUrl, ForbiddenAddress, guardedConnector, type AddressRule, type Resolve } from './address.ts'
import { retryAfterMs } from './retry-after.ts'
import { untilAborted } from './until-aborted.ts'

export interface Poster {
  /** Posts once, without credentials, and returns any status. Does not follow redirects. Throws PostError. */
  post(url: string, message: PostMessage, signal: AbortSignal): Promise<PostAnswer>
  close(): Promise<void>
}

export interface PostMessage {
  headers: Readonly<Record<string, string>>
  body: string
}

export interface PostAnswer {
  status: number
  retryAfterMs: number | undefined
}

export type PostFailure = 'FORBIDDEN' | 'UNREACHABLE' | 'TIMED_OUT'

/** No answer came. The message completes "the address …" and names no host. */
export class PostError extends Error {
  override name = 'PostError'
  readonly failure: PostFailure

  constructor(failure: PostFailure, message: string, options?: ErrorOptions) {
    super(message, options)
    this.failure = failure
  }
}

/** A poster whose every connection keeps the rule. */
export function createPoster({ rule, resolve }: { rule: AddressRule; resolve?: Resolve }): Poster {
  const agent = new Agent({
    allowH2: false,
    connect: guardedConnector(rule, resolve),
    // A kept connection may be closed while a message is written.
    pipelining: 0,
    connections: null,
    // For callers without a deadline.
    headersTimeout: 60_000,
    bodyTimeout: 60_000,
  })

  return {
    async post(url, { headers, body }, signal) {
      const problem = checkUrl(url, rule)
      if (problem) throw new PostError('FORBIDDEN', problem)
      try {
        signal.throwIfAborted()
        const pending = request(url, {
          dispatcher: agent,
          method: 'POST',
          headers: { 'accept-encoding': 'identity', 'user-agent': 'darkroom', ...headers },
          body,
          signal,
        })
        const answer = await untilAborted(pending, signal)
        // Reads a little, so as not to cut an ordinary receiver off.
        await untilAborted(answer.body.dump({ limit: DUMP_BYTES }), signal).catch(() =>
          answer.body.on('error', () => undefined).destroy(),
        )
        return { status: answer.statusCode, retryAfterMs: retryAfterMs(answer.headers) }
      } catch (error) {
        throw toPostError(error, signal)
      }
    },
    close: () => agent.destroy(),
  }
}

const DUMP_BYTES = 16 * 1024

function toPostError(error: unknown, signal: AbortSignal): PostError {
  if (error instanceof ForbiddenAddress) return new PostError('FORBIDDEN', error.message, { cause: error })
  if (signal.aborted) return new PostError('TIMED_OUT', 'did not answer in time', { cause: error })
  return new PostError('UNREACHABLE', 'could not be reached', { cause: error })
}
