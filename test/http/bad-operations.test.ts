// Invalid documents and documents over the limits.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bodyOf, expectRefused, PAID, type Row } from './refused.ts'
import { expectNothingLeft, openPaidServer, type PaidServer } from './paid-server.ts'

const deep = (depth: number) => `{tasks${'{nodes'.repeat(depth)}{id}${'}'.repeat(depth)}}`
const many = (count: number, one: (index: number) => string) =>
  Array.from({ length: count }, (_, i) => one(i)).join(' ')
const PAID_TWICE_DEEP = `mutation { ...A ...B } fragment A on Mutation { a: ${PAID} } fragment B on Mutation { ... { b: ${PAID} } }`
/** Each fragment contains the next one twice: 2^20 fields in total. */
const DOUBLING = `query { ...F0 } ${many(20, (i) => `fragment F${i} on Query { ...F${i + 1} ...F${i + 1} }`)} fragment F20 on Query { __typename }`

const ROWS: Row[] = [
  {
    row: 'B16',
    wrong: 'a syntax error',
    body: bodyOf('{ tasks {'),
    status: 400,
    code: 'GRAPHQL_PARSE_FAILED',
    says: /Expected Name/,
  },
  {
    row: 'B17',
    wrong: 'a misspelled field',
    body: bodyOf('{ tasksx { id } }'),
    status: 400,
    code: 'GRAPHQL_VALIDATION_FAILED',
    says: /"tasksx" on type "Query"\.$/,
  },
  {
    row: 'B18',
    wrong: 'an unknown operationName',
    body: bodyOf('query A { __typename }', { operationName: 'B' }),
    status: 400,
    code: 'OPERATION_RESOLUTION_FAILURE',
    says: /operation/,
  },
  {
    row: 'B18',
    wrong: 'two operations without operationName',
    body: bodyOf('query A { __typename } query B { __typename }'),
    status: 400,
    code: 'OPERATION_RESOLUTION_FAILURE',
    says: /operation/,
  },
  {
    row: 'B19',
    wrong: 'fields 2000 deep',
    body: bodyOf(deep(2000)),
    status: 400,
    code: 'QUERY_TOO_LARGE',
    says: /tokens; the maximum is 1000/,
  },
  {
    row: 'B19',
    wrong: 'fields 11 deep',
    body: bodyOf(`{ node(id: "x") { ... on Task ${'{ retryOf '.repeat(9)}{ id }${' }'.repeat(9)} } }`),
    status: 400,
    code: 'QUERY_TOO_LARGE',
    says: /depth .* is 11; the maximum is 10/,
  },
  {
    row: 'B20',
    wrong: '1001 tokens',
    body: bodyOf(`{ ${'__typename '.repeat(999)} }`),
    status: 400,
    code: 'QUERY_TOO_LARGE',
    says: /tokens; the maximum is 1000/,
  },
  {
    row: 'B21',
    wrong: 'a comment of a megabyte',
    body: bodyOf(`# ${'x'.repeat(1_000_000)}\n{ __typename }`),
    status: 400,
    code: 'QUERY_TOO_LARGE',
    says: /1000017 characters; the maximum is 20000/,
  },
  {
    row: 'B21',
    wrong: '51 comments',
    body: bodyOf(`${'#\n'.repeat(51)}{ __typename }`),
    status: 400,
    code: 'QUERY_TOO_LARGE',
    says: /comments; the maximum is 50/,
  },
  {
    row: 'B22',
    wrong: '16 aliases',
    body: bodyOf(`{ ${many(16, (i) => `a${i}: __typename`)} }`),
    status: 400,
    code: 'TOO_MANY_ALIASES',
    says: /aliases; the maximum is 15/,
  },
  {
    row: 'B23',
    wrong: 'two paid fields',
    body: bodyOf(`mutation { a: ${PAID} b: ${PAID} }`),
    status: 400,
    code: 'TOO_MANY_ROOT_FIELDS',
    says: /generateImage and generateImage.*maximum is one/,
  },
  {
    row: 'B23',
    wrong: 'two different paid fields',
    body: bodyOf(`mutation { ${PAID} retryTask(input: { id: "x" }) { task { id } } }`),
    status: 400,
    code: 'TOO_MANY_ROOT_FIELDS',
    says: /generateImage and retryTask/,
  },
  {
    row: 'B24',
    wrong: 'two paid fields in fragments',
    body: bodyOf(PAID_TWICE_DEEP),
    status: 400,
    code: 'TOO_MANY_ROOT_FIELDS',
    says: /generateImage and generateImage/,
  },
  {
    row: 'B24',
    wrong: 'a paid field in a fragment used twice',
    body: bodyOf(`mutation { ...A ...A } fragment A on Mutation { ${PAID} }`),
    status: 400,
    code: 'TOO_MANY_ROOT_FIELDS',
    says: /generateImage and generateImage/,
  },
  {
    row: 'B25',
    wrong: '20000 directives',
    body: bodyOf(`{ __typename ${'@a'.repeat(9_000)} }`),
    status: 400,
    code: 'QUERY_TOO_LARGE',
    says: /tokens; the maximum is 1000/,
  },
  {
    row: 'B27',
    wrong: 'a fragment that contains itself',
    body: bodyOf('{ ...A } fragment A on Query { ...A }'),
    status: 400,
    code: 'GRAPHQL_VALIDATION_FAILED',
    says: /fragment "A" within itself/,
  },
  {
    row: 'B27',
    wrong: 'a paid fragment that contains itself',
    body: bodyOf(`mutation { ...A } fragment A on Mutation { ...A ${PAID} }`),
    status: 400,
    code: 'GRAPHQL_VALIDATION_FAILED',
    says: /fragment "A" within itself/,
  },
  {
    row: 'B20',
    wrong: 'the image bytes of a hundred tasks',
    body: bodyOf('{ tasks(first: 100) { nodes { images { b64Json } } } }'),
    status: 400,
    code: 'QUERY_TOO_LARGE',
    says: /may resolve 200\d\d\d fields.*20000/,
  },
  {
    row: 'B20',
    wrong: 'the image bytes of a hundred tasks, by a variable',
    body: bodyOf('query ($n: Int) { tasks(first: $n) { nodes { images { b64Json } } } }', {
      variables: { n: 100 },
    }),
    status: 400,
    code: 'QUERY_TOO_LARGE',
    says: /may resolve 200\d\d\d fields.*20000/,
  },
  {
    row: 'B20',
    wrong: 'fragments that double twenty times',
    body: bodyOf(DOUBLING),
    status: 400,
    code: 'QUERY_TOO_LARGE',
    says: /may resolve 1048576 fields/,
  },
  {
    row: 'B29',
    wrong: 'a body of 33 MB',
    body: bodyOf('{ __typename }', { variables: { x: 'x'.repeat(34_000_000) } }),
    status: 413,
    code: 'REQUEST_TOO_LARGE',
    says: /34000\d\d\d bytes; the maximum is 33554432/,
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

  it('many errors gets the first five', async () => {
    const { errors } = await paid.server.execute(`{ ${many(100, (i) => `no${i}`)} }`)
    expect(errors).toHaveLength(6)
    expect(errors?.at(-1)?.message).toMatch(/Too many validation errors/)
  })

  it('one paid field, 15 aliases or 1000 tokens is accepted', async () => {
    const { errors } = await paid.server.execute(
      `mutation { a: generateImage(input: { prompt: "" }) { task { id } } }`,
    )
    expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT', field: 'prompt' } }])
    const { data } = await paid.server.execute(`{ ${many(15, (i) => `a${i}: __typename`)} }`)
    expect(Object.keys(data ?? {})).toHaveLength(15)
    // 10 tokens, and one per id.
    const thousand = await paid.server.execute(`{ nodes(ids: [${'"" '.repeat(988)}]) { id } }`)
    expect(thousand.errors).toMatchObject([
      { message: expect.stringMatching(/^ids has 988 items; the maximum is 100/) },
    ])
    await expectNothingLeft(paid)
  })
})
