// Random HTTP requests.
import type { GraphQLSchema } from 'graphql'
import type { Random } from '../support/random.ts'
import { randomOperation, type Operation } from './documents.ts'
import { randomJson, randomText, corrupt } from './values.ts'

export interface FuzzRequest {
  method: string
  path: string
  headers: Record<string, string>
  body?: string
}

const PAID = /generateImage|retryTask/
const BULK = /generateImages|retryTasks/

/**
 * The number of tasks that a request with this text may create at most. A document has one paid field, and each task of
 * a bulk mutation has a prompt of its own or the id of a task.
 */
export function maxTasksOf(text: string): number {
  if (!PAID.test(text)) return 0
  return BULK.test(text) ? (text.match(/prompt|task_/g)?.length ?? 0) : 1
}

const ACCEPTS = [
  '*/*',
  'application/json',
  'application/graphql-response+json',
  'text/event-stream',
  'multipart/mixed',
  'text/html',
  'image/png',
  'a/b;q=2, ;;;',
]
const TYPES = [
  'application/json',
  'application/json; charset=utf-7',
  'application/graphql',
  'application/x-www-form-urlencoded',
  'text/plain',
  'multipart/form-data',
  'multipart/form-data; boundary=',
  'application/octet-stream',
  '',
]

type Make = (random: Random, schema: GraphQLSchema) => FuzzRequest

const MAKERS: readonly [weight: number, make: Make][] = [
  [40, (random, schema) => post(JSON.stringify(operation(random, schema)), random)],
  [15, (random, schema) => post(JSON.stringify(corrupted(random, schema)), random)],
  [10, (random, schema) => post(corrupt(random, JSON.stringify(operation(random, schema))), random)],
  [5, (random) => post(JSON.stringify(randomJson(random)), random)],
  [8, (random, schema) => get(random, operation(random, schema))],
  [8, upload],
  [
    4,
    (random, schema) => ({
      ...post(JSON.stringify(operation(random, schema)), random),
      headers: headers(random, random.pick(TYPES)),
    }),
  ],
  [
    4,
    (random) => ({
      method: 'POST',
      path: `/callbacks/${path(random)}`,
      headers: headers(random, 'application/json'),
      body: JSON.stringify(randomJson(random)),
    }),
  ],
  [4, asset],
  [
    2,
    (random) => ({
      method: random.pick(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']),
      path: `/${path(random)}`,
      headers: headers(random, random.pick(TYPES)),
    }),
  ],
]

export function randomRequest(random: Random, schema: GraphQLSchema): FuzzRequest {
  const all = MAKERS.reduce((sum, [weight]) => sum + weight, 0)
  let left = random.between(0, all)
  for (const [weight, make] of MAKERS) {
    left -= weight
    if (left < 0) return make(random, schema)
  }
  return MAKERS[0]![1](random, schema)
}

function operation(random: Random, schema: GraphQLSchema): Operation {
  return randomOperation(random, schema, random.pick(['query', 'query', 'mutation']))
}

function corrupted(random: Random, schema: GraphQLSchema): Operation {
  const { query, variables } = operation(random, schema)
  return { query: corrupt(random, query), variables }
}

function post(body: string, random: Random): FuzzRequest {
  return { method: 'POST', path: '/graphql', headers: headers(random, 'application/json'), body }
}

function get(random: Random, { query, variables }: Operation): FuzzRequest {
  const parameters = new URLSearchParams({ query, variables: JSON.stringify(variables) })
  const text = random.next() < 0.3 ? corrupt(random, parameters.toString()) : parameters.toString()
  return {
    method: 'GET',
    path: `/graphql?${text.replace(/[^\x21-\x7e]/g, '')}`.slice(0, 8000),
    headers: headers(random, ''),
  }
}

function headers(random: Random, type: string): Record<string, string> {
  const given: Record<string, string> = {
    accept: random.next() < 0.7 ? 'application/json' : random.pick(ACCEPTS),
  }
  if (type !== '') given['content-type'] = type
  if (random.next() < 0.8) given['x-darkroom-csrf'] = '1'
  if (random.next() < 0.05) given['idempotency-key'] = printable(randomText(random))
  if (random.next() < 0.05) given['x-forwarded-for'] = printable(randomText(random))
  if (random.next() < 0.05) given['origin'] = random.pick(['null', 'https://evil.example', 'nonsense'])
  if (random.next() < 0.03) given['content-encoding'] = random.pick(['gzip', 'br', 'identity', 'x'])
  return given
}

const MAPS = [
  '{"0":["variables.input.images.0.upload"]}',
  '{"0":["variables.v0"]}',
  '{"0":5}',
  'null',
  '{"0":["__proto__.x"]}',
  '{"0":["variables.x.30000000"]}',
  '{',
  '{"1":["variables.v0"]}',
]

function upload(random: Random, schema: GraphQLSchema): FuzzRequest {
  const boundary = 'fuzz'
  const requested = operation(random, schema)
  const part = (name: string, text: string, more = '') =>
    `--${boundary}\r\ncontent-disposition: form-data; name="${name}"${more}\r\n\r\n${text}\r\n`
  const parts = [
    part('operations', JSON.stringify({ ...requested, variables: { ...requested.variables, v0: null } })),
    part('map', random.pick(MAPS)),
    part('0', randomText(random), '; filename="../x.png"\r\ncontent-type: image/png'),
  ].filter(() => random.next() < 0.9)
  const body = `${parts.join('')}--${boundary}--\r\n`
  return {
    method: 'POST',
    path: '/graphql',
    headers: headers(random, `multipart/form-data; boundary=${boundary}`),
    body: random.next() < 0.3 ? corrupt(random, body) : body,
  }
}

function asset(random: Random): FuzzRequest {
  const parameters = new URLSearchParams({
    width: random.pick(['', '0', '-1', '1', '4096', '4097', '1e3', 'x']),
    height: random.pick(['', '99999999999', '1', 'NaN']),
    format: random.pick(['', 'webp', 'WEBP', 'svg', '../x']),
  })
  const id = random.pick([
    'img_01K00000000000000000000000',
    'img_01K00000000000000000000000.png',
    path(random),
  ])
  return {
    method: random.pick(['GET', 'GET', 'HEAD', 'POST']),
    path: `/assets/${id}?${parameters.toString()}`,
    headers: { range: random.pick(['bytes=0-', 'bytes=-1', 'bytes=9-1', 'bytes=0-0,1-1', 'x']) },
  }
}

function path(random: Random): string {
  return encodeURI(Buffer.from(randomText(random)).toString('utf8')).slice(0, 3000)
}

function printable(text: string): string {
  return text
    .replace(/[^\x20-\x7e]/g, '?')
    .slice(0, 2000)
    .trim()
}
