// What is no HTTP request, or does not become one in time.
import { once } from 'node:events'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { listen, type Listener } from '../../src/http/server.ts'
import { expectNothingLeft, openUntouched, refusalIn, sendRaw, type Untouched } from './untouched.ts'

const POST = 'POST /graphql HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n'
const BODY = '{"query":"{ __typename }"}'

describe('bytes that are no request:', () => {
  let untouched: Untouched
  beforeAll(async () => {
    untouched = await openUntouched()
  })
  afterAll(() => untouched[Symbol.asyncDispose]())

  it.each([
    {
      row: 'B74',
      wrong: 'a length and chunks',
      bytes: `${POST}content-length: ${BODY.length}\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
      status: 400,
      code: 'BAD_REQUEST',
    },
    {
      row: 'B74',
      wrong: 'two lengths',
      bytes: `${POST}content-length: 5\r\ncontent-length: ${BODY.length}\r\n\r\n${BODY}`,
      status: 400,
      code: 'BAD_REQUEST',
    },
    {
      row: 'B74',
      wrong: 'a length below zero',
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
      wrong: 'an upload that says it has 61 MB',
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
  ])('$wrong is refused with its code, and the connection closed', async ({ bytes, status, code }) => {
    const answer = await sendRaw(untouched.server.url, bytes)
    expect({ status: answer.status, code: refusalIn(answer.body).code }).toEqual({ status, code })
    expect(answer.head).toMatch(/^x-content-type-options: nosniff$/m)
    await expectNothingLeft(untouched)
  })

  it('a body that does not say how long it is, and is too long, is refused with 413', async () => {
    const headers = `${POST}connection: close\r\ntransfer-encoding: chunked\r\n\r\n`
    const chunk = `f4240\r\n${'x'.repeat(1_000_000)}\r\n`
    const answer = await sendRaw(untouched.server.url, `${headers}${chunk.repeat(36)}0\r\n\r\n`)
    expect([answer.status, refusalIn(answer.body).code]).toEqual([413, 'REQUEST_TOO_LARGE'])
  })
})

describe('a request that comes byte by byte', () => {
  let listener: Listener
  const heard: string[] = []
  beforeAll(async () => {
    const sockets = { upgrade: () => {}, close: async () => {} }
    const timeouts = { headersMs: 300, requestMs: 900, checkMs: 50 }
    listener = await listen(
      async (asked) => {
        heard.push(await asked.text().catch(() => 'cut'))
        return new Response('done')
      },
      sockets,
      { host: '127.0.0.1', port: 0, timeouts },
    )
  })
  afterAll(() => listener.close())

  it.each([
    { row: 'B77', part: 'headers', begin: 'GET /livez HTTP/1.1\r\nhost: x\r\n', drip: 'x' },
    { row: 'B77', part: 'body', begin: `${POST}content-length: 100000\r\n\r\n`, drip: ' ' },
  ])('in its $part is ended with 408 after its time', async ({ begin, drip }) => {
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
})
