import { Agent, request } from 'undici'
import { checkUrl, ForbiddenAddress, guardedConnector, type AddressRule, type Resolve } from './address.ts'
import { retryAfterMs } from './retry-after.ts'
import { untilAborted } from './until-aborted.ts'

/** Posts small messages to addresses that somebody else chose. */
export interface Poster {
  /**
   * Posts `body` once and gives what the answer's head says, whatever its status. Redirects are not followed, nothing of
   * the answer's body is kept, and no credentials are sent. Throws PostError.
   */
  post(url: string, message: PostMessage, signal: AbortSignal): Promise<PostAnswer>
  /** Ends what is still open, at once. */
  close(): Promise<void>
}

export interface PostMessage {
  headers: Readonly<Record<string, string>>
  body: string
}

export interface PostAnswer {
  status: number
  /** How long the receiver asks us to wait; undefined when it does not say. */
  retryAfterMs: number | undefined
}

export type PostFailure = 'FORBIDDEN' | 'UNREACHABLE' | 'TIMED_OUT'

/** No answer came. The message completes "the address …", names no host and is safe to show. */
export class PostError extends Error {
  override name = 'PostError'
  readonly failure: PostFailure

  constructor(failure: PostFailure, message: string, options?: ErrorOptions) {
    super(message, options)
    this.failure = failure
  }
}

/** A poster whose every connection keeps the rule. `resolve` is how names become addresses, the system's way by default. */
export function createPoster({ rule, resolve }: { rule: AddressRule; resolve?: Resolve }): Poster {
  const agent = new Agent({
    allowH2: false,
    connect: guardedConnector(rule, resolve),
    // A kept connection may be closed by the other side just as a message is written on it.
    pipelining: 0,
    connections: null,
    // The caller's signal ends a slow receiver; these end one whose caller forgot to bring a deadline.
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
        // Read a little, so that an ordinary receiver is not cut off in the middle of its answer.
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
