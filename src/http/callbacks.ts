import type { Receipt } from '../engine/receive.ts'

/** Upstreams answer with megabytes of base64, and some call back with the same. */
const MAX_BODY_BYTES = 64 * 1024 * 1024

const ANSWERS: Record<Receipt, { status: number; body: unknown }> = {
  KEPT: { status: 200, body: { ok: true } },
  UNKNOWN_SECRET: { status: 404, body: { error: { code: 'NOT_FOUND', message: 'There is nothing here.' } } },
  TOO_LATE: { status: 410, body: { error: { code: 'GONE', message: 'This attempt ended long ago.' } } },
  UNREADABLE: { status: 400, body: { error: { code: 'BAD_CALLBACK', message: 'The body makes no sense.' } } },
}

/**
 * `POST /callbacks/<secret>`: where an upstream tells that an attempt is done. Answered as soon as it is stored; undefined
 * for every other path.
 */
export function createCallbackRoute(
  receive: (secret: string, body: string) => Promise<Receipt>,
): (request: Request) => Promise<Response | undefined> {
  return async (request) => {
    const { pathname } = new URL(request.url)
    if (!pathname.startsWith('/callbacks/')) return undefined
    if (request.method !== 'POST') return refusal(405, 'METHOD_NOT_ALLOWED', 'Use POST.', { allow: 'POST' })
    const body = await readText(request)
    if (body === undefined) return refusal(413, 'TOO_LARGE', `A callback may have ${MAX_BODY_BYTES} bytes.`)
    const { status, body: answer } = ANSWERS[await receive(pathname.slice('/callbacks/'.length), body)]
    return Response.json(answer, { status })
  }
}

/** The body, or undefined as soon as it is longer than allowed. */
async function readText(request: Request): Promise<string | undefined> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of request.body ?? []) {
    length += chunk.byteLength
    if (length > MAX_BODY_BYTES) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function refusal(
  status: number,
  code: string,
  message: string,
  headers: Record<string, string> = {},
): Response {
  return Response.json({ error: { code, message } }, { status, headers })
}
