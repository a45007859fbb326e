// Invalid requests and the expected refusals.
import { once } from 'node:events'
import { request } from 'node:http'
import { text } from 'node:stream/consumers'
import { expect } from 'vitest'
import { expectNothingLeft, refusalIn, unknownCodes, type PaidServer } from './paid-server.ts'

export interface Row {
  /** Its number in docs/bad-input.md. */
  row: string
  wrong: string
  status: number
  code: string
  /** Must match the message. */
  says: RegExp
  /** POST by default. */
  method?: string
  path?: string
  /** Undefined removes a header. */
  headers?: Record<string, string | undefined>
  body?: string | Buffer
  /** Expected response header. */
  header?: [name: string, value: string]
}

/** The body of a GraphQL request. */
export function bodyOf(query: string, rest: object = {}): string {
  return JSON.stringify({ query, ...rest })
}

/** Would cost money. */
export const PAID = 'generateImage(input: { prompt: "x" }) { task { id } }'

/** Expects the refusal, and that nothing was created. */
export async function expectRefused(paid: PaidServer, row: Row): Promise<void> {
  const { status, headers, body } = await send(paid.server.url, row)
  expect({ status, ...refusalIn(body) }).toEqual({
    status: row.status,
    code: row.code,
    message: expect.stringMatching(row.says),
  })
  if (row.header) expect(headers[row.header[0]]).toBe(row.header[1])
  expect(unknownCodes(body)).toEqual([])
  expect(body.length, 'the response does not repeat the request').toBeLessThan(2000)
  await expectNothingLeft(paid)
}

/** `fetch` cannot set the Host header. */
async function send(
  url: string,
  { method = 'POST', path = '/graphql', headers = {}, body }: Row,
): Promise<{ status: number; headers: Record<string, unknown>; body: string }> {
  // The media type of GraphQL over HTTP that never has errors with 200.
  const accept = 'application/graphql-response+json'
  const given = Object.entries({ 'content-type': 'application/json', accept, ...headers }).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  )
  const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }
  const outgoing = request(url + path, { method, headers: { ...Object.fromEntries(given), ...length } })
  outgoing.on('error', () => {})
  outgoing.end(body)
  const [response] = await once(outgoing, 'response')
  return { status: response.statusCode, headers: response.headers, body: await text(response) }
}
