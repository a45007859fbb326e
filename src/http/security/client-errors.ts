// Answers to what is no HTTP request, or does not become one in time: Node has met it before there is a request to handle.
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { STATUS_CODES } from 'node:http'
import { REQUEST_ERRORS, refusalBody, type RequestErrorCode } from '../refusal.ts'
import { SAFE_HEADERS } from './safe-headers.ts'

/** Has the server answer broken requests with a code and a sentence, and close their connections. */
export function answerClientErrors(server: Server): void {
  const underWay = new WeakMap<Duplex, ServerResponse>()
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    underWay.set(request.socket, response)
  })
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
    const response = underWay.get(socket)
    // An answer in the middle of another one would be read as a part of it.
    const isAnswering = response !== undefined && response.headersSent && !response.writableEnded
    if (!socket.writable || isAnswering) return void socket.destroy()
    socket.once('finish', () => socket.destroy())
    return void socket.end(answer(...reasonOf(error)))
  })
}

function reasonOf({ code }: NodeJS.ErrnoException): [RequestErrorCode, string] {
  if (code === 'HPE_HEADER_OVERFLOW')
    return ['HEADERS_TOO_LARGE', 'The headers have more than 16384 bytes together.']
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return ['REQUEST_TIMEOUT', 'The request did not come to its end in time.']
  return ['BAD_REQUEST', 'This is no HTTP request that can be read in one way only.']
}

function answer(code: RequestErrorCode, message: string): string {
  const status = REQUEST_ERRORS[code]
  const body = JSON.stringify(refusalBody(code, message))
  const headers = {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    connection: 'close',
    ...SAFE_HEADERS,
  }
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  return `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${body}`
}
