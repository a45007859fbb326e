import type { CallbackResult } from '../engine/attempts/callbacks.ts'
import type { Engine } from '../engine/engine.ts'
import type { HttpRoute } from './app.ts'
import { refusal } from './refusal.ts'
import type { Clock } from '../clock.ts'
import { readBody } from './security/body.ts'
import type { BodyBudget } from './security/body-budget.ts'
import { createBruteForceLimiter } from './security/brute-force.ts'

/** Some callbacks hold images as base64. */
const MAX_BODY_BYTES = 64 * 1024 * 1024

// A Response's body can be read only once.
const RESPONSES: Record<CallbackResult, () => Response> = {
  STORED: () => Response.json({ ok: true }),
  UNKNOWN_SECRET: () => refusal('NOT_FOUND', 'There is no such callback address.'),
  TOO_LATE: () => refusal('GONE', 'The attempt ended more than a day ago.'),
  MALFORMED: () => refusal('BAD_CALLBACK', 'The callback body is malformed.'),
}

/**
 * Serves `POST /callbacks/<secret>`. Limits unknown secrets per address; refuses valid ones only if `memory` is full.
 */
export function createCallbackRoute(
  engine: Pick<Engine, 'isKnownCallback' | 'receiveCallback'>,
  { memory, clock }: { memory: BodyBudget; clock: Clock },
): HttpRoute {
  const limiter = createBruteForceLimiter()

  function refuseUnknown(address: string | null): Response {
    const waitMs = limiter.waitMs(address)
    limiter.count(address)
    if (waitMs === 0) return RESPONSES.UNKNOWN_SECRET()
    const seconds = `${Math.max(1, Math.ceil(waitMs / 1000))}`
    const message = `Too many callbacks to unknown addresses. Retry after ${seconds} s.`
    return refusal('RATE_LIMITED', message, { 'retry-after': seconds })
  }

  return async (request, client) => {
    const { pathname } = new URL(request.url)
    if (!pathname.startsWith('/callbacks/')) return undefined
    if (request.method !== 'POST') return refusal('METHOD_NOT_ALLOWED', 'Use POST.', { allow: 'POST' })
    const secret = pathname.slice('/callbacks/'.length)
    if (!(await engine.isKnownCallback(secret))) return refuseUnknown(client().address)
    using held = new DisposableStack()
    const body = await readBody(request, {
      maxBytes: MAX_BODY_BYTES,
      clock,
      reserve: async (bytes) => held.use(await memory.reserve(bytes, request.signal)),
    })
    if (body === undefined)
      return refusal('REQUEST_TOO_LARGE', `The maximum size of a callback is ${MAX_BODY_BYTES} bytes.`)
    return RESPONSES[await engine.receiveCallback(secret, body.toString('utf8'))]()
  }
}
