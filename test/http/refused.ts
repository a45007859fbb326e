// A request that is refused before anything is looked at: what is sent, and what must come of it.
import { once } from 'node:events'
import { request } from 'node:http'
import { text } from 'node:stream/consumers'
import { expect } from 'vitest'
import { expectNothingLeft, refusalIn, unknownCodes, type Untouched } from './untouched.ts'

export interface Row {
  /** Its number in docs/bad-input.md. */
  row: string
  wrong: string
  status: number
  code: string
  /** Words that the sentence must have. */
  says: RegExp
  /** What is different about the request; a POST of JSON by default. */
  method?: string
  path?: string
  /** One of undefined is left out. */
  headers?: Record<string, string | undefined>
  body?: string | Buffer
  /** What the answer must also say. */
  header?: [name: string, value: string]
}

/** The body of a GraphQL request. */
export function bodyOf(query: string, rest: object = {}): string {
  return JSON.stringify({ query, ...rest })
}

/** A document that would cost money, once. */
export const PAID = 'generateImage(input: { prompt: "x" }) { id }'

/** Sends it, and looks that it is refused as it should be and has left nothing. */
export async function expectRefused(untouched: Untouched, row: Row): Promise<void> {
  const { status, headers, body } = await send(untouched.server.url, row)
  expect({ status, ...refusalIn(body) }).toEqual({
    status: row.status,
    code: row.code,
    message: expect.stringMatching(row.says),
  })
  if (row.header) expect(headers[row.header[0]]).toBe(row.header[1])
  expect(unknownCodes(body)).toEqual([])
  expect(body.length, 'the answer does not repeat what came').toBeLessThan(2000)
  await expectNothingLeft(untouched)
}

/** Not by fetch, which does not let a Host header be chosen. */
async function send(
  url: string,
  { method = 'POST', path = '/graphql', headers = {}, body }: Row,
): Promise<{ status: number; headers: Record<string, unknown>; body: string }> {
  // The type under which a refusal is never answered with 200.
  const accept = 'application/graphql-response+json'
  const given = Object.entries({ 'content-type': 'application/json', accept, ...headers }).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  )
  const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }
  const asked = request(url + path, { method, headers: { ...Object.fromEntries(given), ...length } })
  asked.on('error', () => {})
  asked.end(body)
  const [answer] = await once(asked, 'response')
  return { status: answer.statusCode, headers: answer.headers, body: await text(answer) }
}
