import { Agent, request } from 'undici'
import { AddressError, checkUrl, guardedConnector, toAddressFailure } from './address.ts'
import type { AddressRule, Resolve } from './address.ts'
import { retryAfterMs } from './retry-after.ts'
import { untilAborted } from './until-aborted.ts'

export type Poster = ReturnType<typeof createPoster>

export interface PostMessage {
  headers: Readonly<Record<string, string>>
  body: string
}

export type PostFailure = 'FORBIDDEN' | 'UNREACHABLE' | 'TIMED_OUT'

export class PostError extends AddressError<PostFailure> {
  override name = 'PostError'
}

export function createPoster({ rule, resolve }: { rule: AddressRule; resolve?: Resolve }) {
  const agent = new Agent({
    allowH2: false,
    connect: guardedConnector(rule, resolve),
    // Kept connections may close during a write.
    pipelining: 0,
    connections: null,
    headersTimeout: 60_000,
    bodyTimeout: 60_000,
  })

  return {
    /** Once, no redirects. Resolves with any status. Throws PostError. */
    async post(url: string, { headers, body }: PostMessage, signal: AbortSignal) {
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
        // Spares servers with a short body a reset.
        await untilAborted(answer.body.dump({ limit: DUMP_BYTES }), signal).catch(() =>
          answer.body.on('error', () => undefined).destroy(),
        )
        return { status: answer.statusCode, retryAfterMs: retryAfterMs(answer.headers) }
      } catch (error) {
        throw new PostError(...toAddressFailure(error, signal))
      }
    },
    close: () => agent.destroy(),
  }
}

const DUMP_BYTES = 16 * 1024
