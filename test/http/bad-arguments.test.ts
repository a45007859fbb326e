// Wrong arguments of queries, and the list of all operations.
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bad, openServerForRows, PERIOD, type ServerForRows } from './bad-row.ts'

const [BAD, CURSOR] = ['BAD_USER_INPUT', 'CURSOR_INVALID']

const PAGES = [
  bad('B143', 'tasks', 'a page of 0 tasks', '{ tasks(first: 0) { totalCount } }', BAD, 'first'),
  bad('B143', 'images', 'a page of 101 images', '{ images(last: 101) { totalCount } }', BAD, 'last'),
  bad(
    'B143',
    'projects',
    'a page of both ends',
    '{ projects(first: 1, last: 1) { totalCount } }',
    BAD,
    'last',
  ),
  bad(
    'B144',
    'auditLog',
    'a cursor that is none',
    '{ auditLog(after: "x") { totalCount } }',
    CURSOR,
    'after',
  ),
  bad(
    'B144',
    'webhookDeliveries',
    'a cursor of another list',
    `{ webhookDeliveries(before: "${Buffer.from('1:task_1').toString('base64url')}") { totalCount } }`,
    CURSOR,
    'before',
  ),
  bad(
    'B144',
    'attemptsNeedingReview',
    'a cursor that is cut off',
    `{ attemptsNeedingReview(after: "${Buffer.from('1:').toString('base64url')}") { totalCount } }`,
    CURSOR,
    'after',
  ),
  bad(
    'B145',
    'tasks',
    '51 users in a filter',
    `{ tasks(filter: { users: [${'"u",'.repeat(51)}] }) { totalCount } }`,
    BAD,
    'filter.users',
  ),
]

const QUERIES = [
  bad(
    'B146',
    'quote',
    'a quote of 11 images',
    '{ quote(input: { prompt: "x", n: 11 }) { offers { model } } }',
    BAD,
    'n',
  ),
  bad(
    'B146',
    'quote',
    'a quote of 17 input images',
    '{ quote(input: { prompt: "x", imageCount: 17 }) { offers { model } } }',
    BAD,
    'imageCount',
  ),
  bad(
    'B146',
    'quote',
    'a quote without a prompt',
    '{ quote(input: { prompt: "" }) { offers { model } } }',
    BAD,
    'prompt',
  ),
  bad(
    'B147',
    'Image.renditions',
    'a width of 0',
    'query ($image: ID!) { node(id: $image) { ... on Image { renditions(widths: [0]) { url } } } }',
    BAD,
    'widths',
  ),
  bad(
    'B147',
    'Image.srcset',
    'a width of 100,000',
    'query ($image: ID!) { node(id: $image) { ... on Image { srcset(widths: [100000]) } } }',
    BAD,
    'widths',
  ),
  bad(
    'B148',
    'Provider.stats',
    'statistics of no time',
    '{ providers { stats(lastMinutes: 0) { attempts } } }',
    BAD,
    'lastMinutes',
  ),
  bad(
    'B148',
    'Provider.stats',
    'statistics of a year',
    '{ providers { stats(lastMinutes: 525600) { attempts } } }',
    BAD,
    'lastMinutes',
  ),
  bad(
    'B149',
    'usage',
    'a report that ends before it begins',
    '{ usage(from: "2026-01-02T00:00:00Z", to: "2026-01-01T00:00:00Z") { totals { images } } }',
    BAD,
    'to',
  ),
  bad(
    'B149',
    'usage',
    'a time zone that does not exist',
    `{ usage(${PERIOD}, timeZone: "Mars/Olympus") { totals { images } } }`,
    BAD,
    'timeZone',
  ),
  bad('B150', 'nodes', '101 ids', `{ nodes(ids: [${'"x",'.repeat(101)}]) { id } }`, BAD, 'ids'),
  bad(
    'B151',
    'compareBill',
    'a bill without lines and without a period',
    '{ compareBill(bill: { provider: "sandbox", source: "x", lines: [] }) { provider } }',
    BAD,
    'from',
  ),
  bad(
    'B151',
    'compareProviderBill',
    'a bill of an unknown provider',
    `{ compareProviderBill(provider: "none", ${PERIOD}) { provider } }`,
    'PROVIDER_UNKNOWN',
    'provider',
  ),
  bad(
    'B152',
    'reviewCounts',
    'an unknown reason',
    '{ reviewCounts(reasons: [NEVER]) { attempts } }',
    'GRAPHQL_VALIDATION_FAILED',
  ),
]

describe('a query', () => {
  let server: ServerForRows
  beforeAll(async () => {
    server = await openServerForRows()
  })
  afterAll(() => server[Symbol.asyncDispose]())

  it.each([...PAGES, ...QUERIES])('with $wrong is refused ($row, $operation)', async (row) => {
    expect(await server.refusalsOf(row)).toEqual([[row.code, row.field]])
  })
})

// The others have rows of their own in docs/bad-input.md.
const ELSEWHERE = {
  adjustCost: 'B135',
  cancelTask: 'B49',
  generateImage: 'B30',
  generateImages: 'B140',
  node: 'B134',
  task: 'B47',
  taskEvents: 'B134',
  taskFeed: 'B144',
  updateTask: 'B141',
}

it('each operation with arguments has a row', () => {
  const schema = readFileSync('schema.graphql', 'utf8').replaceAll(/"""[^]*?"""/g, '')
  const operations = ['Query', 'Mutation', 'Subscription'].flatMap((type) => {
    const [, fields = ''] = new RegExp(`^type ${type} {(.*?)^}`, 'ms').exec(schema) ?? []
    return [...fields.matchAll(/^ {2}(\w+)\(/gm)].map(([, name]) => name!)
  })
  expect(operations.length).toBeGreaterThan(40)
  const files = ['arguments', 'mutations']
    .map((name) => readFileSync(`test/http/bad-${name}.test.ts`, 'utf8'))
    .join('')
  const hasRow = (name: string) => name in ELSEWHERE || files.includes(`'${name}',`)
  expect(operations.filter((name) => !hasRow(name))).toEqual([])
  const page = readFileSync('docs/bad-input.md', 'utf8')
  const missing = Object.entries(ELSEWHERE).filter(([, row]) => !page.includes(`\n| ${row} `))
  expect(missing).toEqual([])
})
