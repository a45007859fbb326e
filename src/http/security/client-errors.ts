import { STATUS_CODES, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { REQUEST_ERRORS, SAFE_HEADERS, type RequestErrorCode } from '../refusal.ts'

export function answerClientErrors(server: Server): void {
  const responses = new WeakMap<Duplex, ServerResponse>()
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    responses.set(request.socket, response)
  })
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
    const response = responses.get(socket)
    // Would become part of the unfinished response.
    const isResponding = response !== undefined && response.headersSent && !response.writableEnded
    if (!socket.writable || isResponding) return void socket.destroy()
    socket.once('finish', () => socket.destroy())
    return void socket.end(responseText(...reasonOf(error)))
  })
}

function reasonOf({ code }: NodeJS.ErrnoException): [RequestErrorCode, string] {
  if (code === 'HPE_HEADER_OVERFLOW')
    return ['HEADERS_TOO_LARGE', 'The maximum size of all headers is 16384 bytes.']
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return ['REQUEST_TIMEOUT', 'The request did not arrive completely in time.']
  return ['BAD_REQUEST', 'This is not a valid HTTP request.']
}

function responseText(code: RequestErrorCode, message: string): string {
  const status = REQUEST_ERRORS[code]
  // OpenAI's SDKs need the last two.
  const error = { code, message, type: 'invalid_request_error', param: null }
  const body = JSON.stringify({ error })
  const headers = {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    connection: 'close',
    // Nothing was done.
    'x-should-retry': String(code === 'REQUEST_TIMEOUT'),
    ...SAFE_HEADERS,
  }
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  return `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${body}`
}
