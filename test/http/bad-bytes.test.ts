// Invalid and slow HTTP requests.
import { once } from 'node:events'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { listen, type Listener } from '../../src/http/server.ts'
import { expectNothingLeft, openPaidServer, refusalIn, sendRaw, type PaidServer } from './paid-server.ts'

const POST = 'POST /graphql HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n'
const BODY = '{"query":"{ __typename }"}'

describe('an invalid request:', () => {
  let paid: PaidServer
  beforeAll(async () => {
    paid = await openPaidServer()
  })
  afterAll(() => paid[Symbol.asyncDispose]())

  it.each([
    {
      row: 'B74',
      wrong: 'content-length and chunks',
      bytes: `${POST}content-length: ${BODY.length}\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
      status: 400,
      code: 'BAD_REQUEST',
    },
    {
      row: 'B74',
      wrong: 'two content-lengths',
      bytes: `${POST}content-length: 5\r\ncontent-length: ${BODY.length}\r\n\r\n${BODY}`,
      status: 400,
      code: 'BAD_REQUEST',
    },
    {
      row: 'B74',
      wrong: 'a negative content-length',
      bytes: `${POST}content-length: -1\r\n\r\n`,
      status: 400,
      code: 'BAD_REQUEST',
    },
    {
      row: 'B75',
      wrong: 'a header of 20 KB',
      bytes: `${POST}x-long: ${'x'.repeat(20_000)}\r\n\r\n`,
      status: 431,
      code: 'HEADERS_TOO_LARGE',
    },
    {
      row: 'B59',
      wrong: 'an upload with a content-length of 61 MB',
      bytes: `POST /graphql HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ngraphql-require-preflight: 1\r\ncontent-type: multipart/form-data; boundary=b\r\ncontent-length: 63963136\r\n\r\n`,
      status: 413,
      code: 'REQUEST_TOO_LARGE',
    },
    {
      row: 'B74',
      wrong: 'another protocol',
      bytes: '\x16\x03\x01\x02\x00\x01\x00\x01',
      status: 400,
      code: 'BAD_REQUEST',
    },
  ])('$wrong is refused with its code and closes the connection', async ({ bytes, status, code }) => {
    const answer = await sendRaw(paid.server.url, bytes)
    expect({ status: answer.status, code: refusalIn(answer.body).code }).toEqual({ status, code })
    expect(answer.head).toMatch(/^x-content-type-options: nosniff$/m)
    await expectNothingLeft(paid)
  })

  it('a body over the limit without a content-length is refused with 413', async () => {
    const headers = `${POST}connection: close\r\ntransfer-encoding: chunked\r\n\r\n`
    const chunk = `f4240\r\n${'x'.repeat(1_000_000)}\r\n`
    const answer = await sendRaw(paid.server.url, `${headers}${chunk.repeat(36)}0\r\n\r\n`)
    expect([answer.status, refusalIn(answer.body).code]).toEqual([413, 'REQUEST_TOO_LARGE'])
  })
})

describe('a request that arrives byte by byte', () => {
  let listener: Listener
  const bodies: string[] = []
  const left: string[] = []
  beforeAll(async () => {
    const sockets = { upgrade: () => {}, close: async () => {} }
    const timeouts = { headersMs: 300, requestMs: 900, checkMs: 50 }
    listener = await listen(
      async (request) => {
        bodies.push(await request.text().catch(() => 'cut'))
        const { pathname } = new URL(request.url)
        if (pathname === '/slow') {
          await once(request.signal, 'abort')
          left.push(pathname)
        }
        return new Response('done')
      },
      sockets,
      { host: '127.0.0.1', port: 0, basePath: '/base', timeouts },
    )
  })
  afterAll(() => listener.close())

  it.each([
    { row: 'B77', part: 'headers', begin: 'GET /livez HTTP/1.1\r\nhost: x\r\n', drip: 'x' },
    { row: 'B77', part: 'body', begin: `${POST}content-length: 100000\r\n\r\n`, drip: ' ' },
  ])('in its $part is refused with 408 after the timeout', async ({ begin, drip }) => {
    const socket = connect(Number(new URL(listener.url).port), '127.0.0.1')
    await once(socket, 'connect')
    socket.write(begin)
    const dripping = setInterval(() => socket.write(drip), 50)
    try {
      const answer = await text(socket)
      expect(answer).toMatch(/^HTTP\/1\.1 408 /)
      expect(refusalIn(answer.split('\r\n\r\n')[1]!)).toMatchObject({ code: 'REQUEST_TIMEOUT' })
    } finally {
      clearInterval(dripping)
      socket.destroy()
    }
  })

  it.each([
    '/v1/images/generations',
    '/base/v1/images/edits?api-version=1',
    '/openai/deployments/m/images/edits',
  ])('in its body is refused with 408 in the form of OpenAI at %s', async (path) => {
    const head = `POST ${path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n`
    const { status, ...answer } = await sendRaw(listener.url, `${head}content-length: 100\r\n\r\n{`)
    expect([status, JSON.parse(answer.body)]).toEqual([
      408,
      {
        error: {
          message: 'The request did not arrive completely in time.',
          type: 'invalid_request_error',
          param: null,
          code: 'request_timeout',
        },
      },
    ])
    expect(answer.head).toMatch(/^x-should-retry: true$/m)
    expect(answer.head).toMatch(/^retry-after: 2$/m)
    expect(answer.head).toMatch(/^x-content-type-options: nosniff$/m)
  })

  it('with an invalid chunk is refused with 400 in the form of OpenAI', async () => {
    const head = 'POST /v1/images/edits HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n'
    const { status, body, head: headers } = await sendRaw(listener.url, `${head}no length\r\n`)
    expect([status, JSON.parse(body).error.code]).toEqual([400, 'invalid_request'])
    expect(headers).toMatch(/^x-should-retry: false$/m)
  })

  it('is not refused in place of the response that an earlier request waits for', async () => {
    const slow = 'GET /slow HTTP/1.1\r\nhost: localhost\r\n\r\n'
    const { status, head } = await sendRaw(listener.url, `${slow}GET /livez HTTP/1.1\r\nhost: x\r\n`)
    expect([status, head]).toEqual([NaN, ''])
    await expect.poll(() => left).toEqual(['/slow'])
  })
})
