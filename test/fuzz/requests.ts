// Everything that can be thrown at a server over HTTP: one by chance, and whether it may have asked for a paid task.
import type { GraphQLSchema } from 'graphql'
import type { Chance } from '../storm/chance.ts'
import { anyOperation, type Operation } from './documents.ts'
import { anyJson, anyText, spoil } from './values.ts'

export interface Shot {
  method: string
  path: string
  headers: Record<string, string>
  body?: string
}

const PAID = /generateImage|retryTask/

/** Whether it can have asked for a paid task; for one at most, since no document may have two. */
export function mayPay(shot: Shot): boolean {
  return PAID.test(shot.body ?? '') || PAID.test(shot.path)
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

type Make = (chance: Chance, schema: GraphQLSchema) => Shot

const MAKERS: readonly [weight: number, make: Make][] = [
  [40, (chance, schema) => post(JSON.stringify(operation(chance, schema)), chance)],
  [15, (chance, schema) => post(JSON.stringify(spoilt(chance, schema)), chance)],
  [10, (chance, schema) => post(spoil(chance, JSON.stringify(operation(chance, schema))), chance)],
  [5, (chance) => post(JSON.stringify(anyJson(chance)), chance)],
  [8, (chance, schema) => get(chance, operation(chance, schema))],
  [8, upload],
  [
    4,
    (chance, schema) => ({
      ...post(JSON.stringify(operation(chance, schema)), chance),
      headers: headers(chance, chance.pick(TYPES)),
    }),
  ],
  [
    4,
    (chance) => ({
      method: 'POST',
      path: `/callbacks/${path(chance)}`,
      headers: headers(chance, 'application/json'),
      body: JSON.stringify(anyJson(chance)),
    }),
  ],
  [4, asset],
  [
    2,
    (chance) => ({
      method: chance.pick(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']),
      path: `/${path(chance)}`,
      headers: headers(chance, chance.pick(TYPES)),
    }),
  ],
]

export function anyShot(chance: Chance, schema: GraphQLSchema): Shot {
  const all = MAKERS.reduce((sum, [weight]) => sum + weight, 0)
  let left = chance.between(0, all)
  for (const [weight, make] of MAKERS) {
    left -= weight
    if (left < 0) return make(chance, schema)
  }
  return MAKERS[0]![1](chance, schema)
}

function operation(chance: Chance, schema: GraphQLSchema): Operation {
  return anyOperation(chance, schema, chance.pick(['query', 'query', 'mutation']))
}

function spoilt(chance: Chance, schema: GraphQLSchema): Operation {
  const { query, variables } = operation(chance, schema)
  return { query: spoil(chance, query), variables }
}

function post(body: string, chance: Chance): Shot {
  return { method: 'POST', path: '/graphql', headers: headers(chance, 'application/json'), body }
}

function get(chance: Chance, { query, variables }: Operation): Shot {
  const parameters = new URLSearchParams({ query, variables: JSON.stringify(variables) })
  const text = chance.next() < 0.3 ? spoil(chance, parameters.toString()) : parameters.toString()
  return {
    method: 'GET',
    path: `/graphql?${text.replace(/[^\x21-\x7e]/g, '')}`.slice(0, 8000),
    headers: headers(chance, ''),
  }
}

function headers(chance: Chance, type: string): Record<string, string> {
  const given: Record<string, string> = {
    accept: chance.next() < 0.7 ? 'application/json' : chance.pick(ACCEPTS),
  }
  if (type !== '') given['content-type'] = type
  if (chance.next() < 0.8) given['x-darkroom-csrf'] = '1'
  if (chance.next() < 0.05) given['idempotency-key'] = printable(anyText(chance))
  if (chance.next() < 0.05) given['x-forwarded-for'] = printable(anyText(chance))
  if (chance.next() < 0.05) given['origin'] = chance.pick(['null', 'https://evil.example', 'nonsense'])
  if (chance.next() < 0.03) given['content-encoding'] = chance.pick(['gzip', 'br', 'identity', 'x'])
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

function upload(chance: Chance, schema: GraphQLSchema): Shot {
  const boundary = 'fuzz'
  const asked = operation(chance, schema)
  const part = (name: string, text: string, more = '') =>
    `--${boundary}\r\ncontent-disposition: form-data; name="${name}"${more}\r\n\r\n${text}\r\n`
  const parts = [
    part('operations', JSON.stringify({ ...asked, variables: { ...asked.variables, v0: null } })),
    part('map', chance.pick(MAPS)),
    part('0', anyText(chance), '; filename="../x.png"\r\ncontent-type: image/png'),
  ].filter(() => chance.next() < 0.9)
  const body = `${parts.join('')}--${boundary}--\r\n`
  return {
    method: 'POST',
    path: '/graphql',
    headers: headers(chance, `multipart/form-data; boundary=${boundary}`),
    body: chance.next() < 0.3 ? spoil(chance, body) : body,
  }
}

function asset(chance: Chance): Shot {
  const parameters = new URLSearchParams({
    width: chance.pick(['', '0', '-1', '1', '4096', '4097', '1e3', 'x']),
    height: chance.pick(['', '99999999999', '1', 'NaN']),
    format: chance.pick(['', 'webp', 'WEBP', 'svg', '../x']),
  })
  const id = chance.pick([
    'img_01K00000000000000000000000',
    'img_01K00000000000000000000000.png',
    path(chance),
  ])
  return {
    method: chance.pick(['GET', 'GET', 'HEAD', 'POST']),
    path: `/assets/${id}?${parameters.toString()}`,
    headers: { range: chance.pick(['bytes=0-', 'bytes=-1', 'bytes=9-1', 'bytes=0-0,1-1', 'x']) },
  }
}

function path(chance: Chance): string {
  return encodeURI(Buffer.from(anyText(chance)).toString('utf8')).slice(0, 3000)
}

function printable(text: string): string {
  return text
    .replace(/[^\x20-\x7e]/g, '?')
    .slice(0, 2000)
    .trim()
}
