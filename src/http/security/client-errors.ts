import { STATUS_CODES, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { REQUEST_ERRORS, SAFE_HEADERS, type RequestErrorCode } from '../refusal.ts'

/** The JSON body of a refusal, and headers beside the usual ones. */
export interface RefusalText {
  body: object
  headers: Record<string, string>
}

/** `refuse`: in the form of the interface at `url`, a path with a query; undefined for the usual form. */
export function answerClientErrors(
  server: Server,
  refuse: (url: string, code: RequestErrorCode, message: string) => RefusalText | undefined,
): void {
  const responses = new WeakMap<Duplex, ServerResponse>()
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    responses.set(request.socket, response)
  })
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
    const last = responses.get(socket)
    const response = last?.writableEnded ? undefined : last
    // The client would read the refusal of its next request as a part of this response, or as this response.
    const isOwed = response !== undefined && (response.headersSent || response.req.complete)
    if (!socket.writable || isOwed) return void socket.destroy()
    const [code, message] = reasonOf(error)
    const refusal = response && refuse(response.req.url ?? '/', code, message)
    socket.once('finish', () => socket.destroy())
    return void socket.end(responseText(code, refusal ?? usualRefusal(code, message)))
  })
}

function reasonOf({ code }: NodeJS.ErrnoException): [RequestErrorCode, string] {
  if (code === 'HPE_HEADER_OVERFLOW')
    return ['HEADERS_TOO_LARGE', 'The maximum size of all headers is 16384 bytes.']
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return ['REQUEST_TIMEOUT', 'The request did not arrive completely in time.']
  return ['BAD_REQUEST', 'This is not a valid HTTP request.']
}

function usualRefusal(code: RequestErrorCode, message: string): RefusalText {
  return {
    // OpenAI's SDKs need the last two.
    body: { error: { code, message, type: 'invalid_request_error', param: null } },
    // Nothing was done.
    headers: { 'x-should-retry': String(code === 'REQUEST_TIMEOUT') },
  }
}

function responseText(code: RequestErrorCode, refusal: RefusalText): string {
  const status = REQUEST_ERRORS[code]
  const body = JSON.stringify(refusal.body)
  const headers = {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    connection: 'close',
    ...refusal.headers,
    ...SAFE_HEADERS,
  }
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  return `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${body}`
}
