// Invalid GraphQL requests (graphql.github.io/graphql-over-http) and requests that a page of another site could send.
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bodyOf, expectRefused, PAID, type Row } from './refused.ts'
import { openPaidServer, type PaidServer } from './paid-server.ts'

const form = (fields: Record<string, string>) => new URLSearchParams(fields).toString()
const URLENCODED = { 'content-type': 'application/x-www-form-urlencoded' }

const ROWS: Row[] = [
  {
    row: 'B01',
    wrong: 'a truncated JSON body',
    body: '{',
    status: 400,
    code: 'BAD_REQUEST',
    says: /invalid JSON/,
  },
  { row: 'B02', wrong: 'an empty body', body: '', status: 400, code: 'BAD_REQUEST', says: /JSON|query/ },
  { row: 'B03', wrong: 'a body of null', body: 'null', status: 400, code: 'BAD_REQUEST', says: /null/ },
  {
    row: 'B04',
    wrong: 'a batch',
    body: `[${bodyOf('{ __typename }')}]`,
    status: 400,
    code: 'BAD_REQUEST',
    says: /Batching/,
  },
  { row: 'B05', wrong: 'no query', body: '{}', status: 400, code: 'BAD_REQUEST', says: /no "query"/ },
  {
    row: 'B05',
    wrong: 'a query of null',
    body: '{"query":null}',
    status: 400,
    code: 'BAD_REQUEST',
    says: /no "query"/,
  },
  {
    row: 'B06',
    wrong: 'a number as query',
    body: '{"query":1}',
    status: 400,
    code: 'BAD_REQUEST',
    says: /"query".*number/,
  },
  {
    row: 'B07',
    wrong: 'a list as variables',
    body: bodyOf('{ __typename }', { variables: [] }),
    status: 400,
    code: 'BAD_REQUEST',
    says: /"variables".*array/,
  },
  {
    row: 'B07',
    wrong: 'a text as variables',
    body: bodyOf('{ __typename }', { variables: '{}' }),
    status: 400,
    code: 'BAD_REQUEST',
    says: /"variables".*string/,
  },
  {
    row: 'B08',
    wrong: 'an unknown parameter',
    body: bodyOf('{ __typename }', { colour: 1 }),
    status: 400,
    code: 'BAD_REQUEST',
    says: /"colour"/,
  },
  {
    row: 'B09',
    wrong: 'invalid variables in the URL',
    method: 'GET',
    path: '/graphql?query={__typename}&variables={',
    status: 400,
    code: 'BAD_REQUEST',
    says: /"variables"/,
  },
  {
    row: 'B10',
    wrong: 'a mutation by GET',
    method: 'GET',
    path: `/graphql?query=${encodeURIComponent(`mutation { ${PAID} }`)}`,
    status: 405,
    code: 'BAD_REQUEST',
    says: /POST/,
    header: ['allow', 'POST'],
  },
  {
    row: 'B11',
    wrong: 'a PUT',
    method: 'PUT',
    body: bodyOf('{ __typename }'),
    status: 405,
    code: 'METHOD_NOT_ALLOWED',
    says: /GET and POST/,
    header: ['allow', 'GET, POST'],
  },
  {
    row: 'B11',
    wrong: 'a DELETE',
    method: 'DELETE',
    status: 405,
    code: 'METHOD_NOT_ALLOWED',
    says: /GET and POST/,
    header: ['allow', 'GET, POST'],
  },
  {
    row: 'B12',
    wrong: 'plain text',
    headers: { 'content-type': 'text/plain', 'x-darkroom-csrf': '1' },
    body: bodyOf('{ __typename }'),
    status: 415,
    code: 'UNSUPPORTED_MEDIA_TYPE',
    says: /"text\/plain".*application\/json/,
  },
  {
    row: 'B12',
    wrong: 'plain text without a preflight header',
    headers: { 'content-type': 'text/plain' },
    body: bodyOf('{ __typename }'),
    status: 403,
    code: 'CSRF_REQUIRED',
    says: /"text\/plain".*graphql-require-preflight/,
  },
  {
    row: 'B13',
    wrong: 'no content type',
    headers: { 'content-type': undefined, 'x-darkroom-csrf': '1' },
    body: Buffer.from(bodyOf('{ __typename }')),
    status: 415,
    code: 'UNSUPPORTED_MEDIA_TYPE',
    says: /application\/json/,
  },
  {
    row: 'B14',
    wrong: 'an Accept header of image/png',
    headers: { accept: 'image/png' },
    body: bodyOf('{ __typename }'),
    status: 406,
    code: 'NOT_ACCEPTABLE',
    says: /application\/json/,
  },
  {
    row: 'B15',
    wrong: 'a form without a preflight header',
    headers: URLENCODED,
    body: form({ query: `mutation { ${PAID} }` }),
    status: 403,
    code: 'CSRF_REQUIRED',
    says: /x-www-form-urlencoded.*graphql-require-preflight/,
  },
  {
    row: 'B15',
    wrong: 'a multipart form without a preflight header',
    headers: { 'content-type': 'multipart/form-data; boundary=b' },
    body: '--b--\r\n',
    status: 403,
    code: 'CSRF_REQUIRED',
    says: /multipart\/form-data/,
  },
  {
    row: 'B79',
    wrong: 'a host that is not served',
    headers: { host: 'evil.example:4000' },
    body: bodyOf('{ __typename }'),
    status: 403,
    code: 'HOST_NOT_ALLOWED',
    says: /"evil\.example:4000".*PUBLIC_URL/,
  },
  {
    row: 'B81',
    wrong: 'a compressed body',
    headers: { 'content-encoding': 'gzip' },
    body: gzipSync('{'.repeat(1_000_000)),
    status: 415,
    code: 'UNSUPPORTED_MEDIA_TYPE',
    says: /"gzip"/,
  },
]

describe('a request with', () => {
  let paid: PaidServer
  beforeAll(async () => {
    paid = await openPaidServer()
  })
  afterAll(() => paid[Symbol.asyncDispose]())

  it.each(ROWS)('$wrong is refused with its code and a message', async (row) => {
    expect.hasAssertions()
    await expectRefused(paid, row)
  })
})
