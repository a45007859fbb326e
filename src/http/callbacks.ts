import type { CallbackResult } from '../engine/attempts/callbacks.ts'
import { readBody } from './security/body.ts'
import type { Client } from './security/client.ts'
import { createForgeries } from './security/brute-force.ts'
import { refusal } from './refusal.ts'

/** Upstreams answer with megabytes of base64, and some call back with the same. */
const MAX_BODY_BYTES = 64 * 1024 * 1024

/** Made anew for each answer: a response is read once. */
const ANSWERS: Record<CallbackResult, () => Response> = {
  KEPT: () => Response.json({ ok: true }),
  UNKNOWN_SECRET: () => refusal('NOT_FOUND', 'There is nothing here.'),
  TOO_LATE: () => refusal('GONE', 'This attempt ended long ago.'),
  UNREADABLE: () => refusal('BAD_CALLBACK', 'The body makes no sense.'),
}

/** What the route asks of the engine. */
export interface Callbacks {
  /** Whether an address with this secret was given out. */
  knows(secret: string): Promise<boolean>
  receive(secret: string, body: string): Promise<CallbackResult>
}

/**
 * `POST /callbacks/<secret>`: where an upstream tells that an attempt is done. Answered as soon as it is stored; undefined
 * for every other path. The body of a forged one is never read, and whoever sends many is told to stop, with 429; a
 * secret that is right is heard from the same address all the while.
 */
export function createCallbackRoute(
  engine: Callbacks,
): (request: Request, client: () => Client) => Promise<Response | undefined> {
  const forgeries = createForgeries()

  function refuseForged(address: string | null): Response {
    const waitMs = forgeries.waitMs(address)
    forgeries.count(address)
    if (waitMs === 0) return ANSWERS.UNKNOWN_SECRET()
    const seconds = `${Math.max(1, Math.ceil(waitMs / 1000))}`
    const message = `Too many callbacks that nobody asked for. Ask again in ${seconds} s.`
    return refusal('RATE_LIMITED', message, { 'retry-after': seconds })
  }

  return async (request, client) => {
    const { pathname } = new URL(request.url)
    if (!pathname.startsWith('/callbacks/')) return undefined
    if (request.method !== 'POST') return refusal('METHOD_NOT_ALLOWED', 'Use POST.', { allow: 'POST' })
    const secret = pathname.slice('/callbacks/'.length)
    if (!(await engine.knows(secret))) return refuseForged(client().address)
    const announced = Number(request.headers.get('content-length') ?? 0)
    const body = announced > MAX_BODY_BYTES ? undefined : await readBody(request, MAX_BODY_BYTES)
    if (body === undefined)
      return refusal('REQUEST_TOO_LARGE', `A callback may have ${MAX_BODY_BYTES} bytes.`)
    return ANSWERS[await engine.receive(secret, body.toString('utf8'))]()
  }
}
