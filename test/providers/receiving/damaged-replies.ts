// Damaged copies of a good reply: every field in every wrong form, every end of an HTTP message, every encoding, and
// every text and field that may surround the images.
import {
  brotliCompressSync,
  constants,
  deflateRawSync,
  deflateSync,
  gzipSync,
  zstdCompressSync,
} from 'node:zlib'
import type { Random } from '../../support/random.ts'
import type { CannedReply, Ending } from '../upstreams/fake.ts'

/** Both forms of one image. */
export interface ResultImage {
  b64_json: string
  url: string
}

/** The JSON body of a good reply with the result, or the events of a good stream. */
export type GoodReply = { json: object } | { events: readonly GoodEvent[] }
type GoodEvent = readonly [event: string, data: object]

export interface DamagedReply {
  says: string
  reply: CannedReply
  /** Whether the image's bytes or address are in the reply. */
  hasImage: boolean
}

export function damaged(good: GoodReply, image: ResultImage): DamagedReply[] {
  const text = 'json' in good ? JSON.stringify(good.json) : eventsText(good.events)
  const last = lastJson(good)
  const withLast = (json: string) =>
    'json' in good ? json : eventsText(good.events.slice(0, -1)) + eventText(lastName(good), json)
  const bodies = [...damagedFields(last), ...surroundings(last)].map(([says, json]): [string, string] => [
    says,
    withLast(json),
  ])
  const texts = [...bodies, ...damagedTexts(text), ...('json' in good ? [] : damagedStreams(good.events))]
  const type = 'json' in good ? 'application/json' : 'text/event-stream'
  const relative = relativeForms(image.url).map((form) =>
    text.replace(image.url, () => JSON.stringify(form).slice(1, -1)),
  )
  const make = (says: string, body: string | Buffer, more: Partial<CannedReply> = {}): DamagedReply => ({
    says,
    reply: {
      status: 200,
      body: Buffer.from(body),
      ...more,
      headers: { 'content-type': type, ...more.headers },
    },
    hasImage:
      Buffer.isBuffer(body) ||
      [image.b64_json, image.url].some((part) => body.replaceAll('\\/', '/').includes(part)),
  })
  return [
    ...texts.map(([says, body]) => make(says, body)),
    ...relative
      .filter((body) => body !== text)
      .map((body) => ({ ...make('a relative address', body), hasImage: true })),
    ...ENCODINGS.flatMap(([encoding, encode]) =>
      [undefined, ...ENDINGS].map((ending) => {
        const headers: Record<string, string> = encoding === '' ? {} : { 'content-encoding': encoding }
        const says = `encoded as ${encoding || 'nothing'}, with ${ending ?? 'a good end'}`
        return make(says, encode(Buffer.from(text)), { headers, ending })
      }),
    ),
    ...[...cuts(text, image)].flatMap(([body, hasImage]) =>
      CUT_ENCODINGS.map(([encoding, encode]) => {
        const headers: Record<string, string> = encoding === '' ? {} : { 'content-encoding': encoding }
        const says = `cut to …${body.slice(-30)}, encoded as ${encoding || 'nothing'}`
        return { ...make(says, encode(Buffer.from(body)), { headers, ending: 'closed early' }), hasImage }
      }),
    ),
    ...STATUSES.map((status) => make(`status ${status}`, text, { status })),
    ...CONTENT_TYPES.map((value) =>
      make(`content type ${value}`, text, { headers: { 'content-type': value } }),
    ),
    ...[20, 200].map((kilobytes) =>
      make(`headers of ${kilobytes} KB`, text, { headers: { 'x-padding': 'x'.repeat(kilobytes * 1000) } }),
    ),
  ]
}

/** As a browser resolves them against the upstream's URL. */
function relativeForms(url: string): string[] {
  const { host, pathname } = new URL(url)
  return [
    pathname,
    `//${host}${pathname}`,
    `  ${url}  `,
    `/a/..${pathname}`,
    `\\\\${host}${pathname.replaceAll('/', '\\')}`,
  ]
}

export const ENDINGS: readonly Ending[] = ['last chunk missing', 'closed early', 'reset', 'hang']

const ENCODINGS: readonly [name: string, encode: (bytes: Buffer) => Buffer][] = [
  ['', (bytes) => bytes],
  ['identity', (bytes) => bytes],
  ['gzip', gzipSync],
  ['X-GZIP', gzipSync],
  ['deflate', deflateSync],
  // As some servers understand `deflate`, RFC 9110, 8.4.1.2.
  ['deflate', deflateRawSync],
  ['br', brotliCompressSync],
  ['zstd', zstdCompressSync],
  ['gzip, br', (bytes) => brotliCompressSync(gzipSync(bytes))],
  // Named, but not applied.
  ['gzip', (bytes) => bytes],
  ['utf-8', (bytes) => bytes],
]

/** As servers encode that send what they have at once. */
const CUT_ENCODINGS: typeof ENCODINGS = [
  ['', (bytes) => bytes],
  ['gzip', (bytes) => gzipSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH })],
  ['br', (bytes) => brotliCompressSync(bytes, { finishFlush: constants.BROTLI_OPERATION_FLUSH })],
]
const MAX_CUTS = 12

/** Prefixes, and whether the image is in them: with its quote, as it may go on without. */
function* cuts(text: string, { b64_json, url }: ResultImage): Generator<[string, boolean]> {
  const end = endOfImage(text, b64_json) ?? endOfImage(text, url) ?? text.length
  const step = Math.ceil((text.length - end) / MAX_CUTS)
  for (let at = end; at < text.length; at += step) yield [text.slice(0, at), true]
  for (const before of [2, 20]) yield [text.slice(0, end - before), false]
}

/** After its quote, which is escaped in JSON within JSON. */
function endOfImage(text: string, image: string): number | undefined {
  const at = text.lastIndexOf(image)
  return at < 0 ? undefined : text.indexOf('"', at + image.length) + 1
}

const STATUSES = [201, 202, 203, 206, 300, 302, 400, 401, 402, 404, 408, 429, 500, 502, 503, 504]

const CONTENT_TYPES = [
  '',
  '*/*',
  'text/plain',
  'text/html',
  'image/png',
  'application/octet-stream',
  'text/event-stream',
]

/** Forms that a field may have instead of its own. */
const FORMS: readonly [says: string, form: (value: unknown, name: string) => unknown][] = [
  ['missing', () => undefined],
  ['null', () => null],
  ['an empty text', () => ''],
  ['a blank text', () => ' '],
  ['an empty object', () => ({})],
  ['an empty list', () => []],
  ['true', () => true],
  ['false', () => false],
  ['zero', () => 0],
  ['a negative number', () => -1],
  ['a fraction', () => 0.5],
  ['a number of 64 bits', () => 2 ** 63],
  ['a huge number', () => 1e308],
  ['a huge text', () => '%'.repeat(100_000)],
  ['a huge list', () => Array.from({ length: 10_000 }, () => 0)],
  ['NUL', () => '\0'],
  ['its own text and NUL', (value) => (typeof value === 'string' ? `${value}\0` : '\0')],
  ['half a surrogate pair', () => '\ud800'],
  ['within a list', (value) => [value]],
  ['within two lists', (value) => [[value]]],
  ['within an object', (value, name) => ({ [name]: value })],
  ['within two objects', (value, name) => ({ [name]: { [name]: value } })],
  ['a deep list', () => nest(500)],
]

function nest(depth: number): unknown {
  let value: unknown = []
  for (let level = 0; level < depth; level++) value = [value]
  return value
}

type Path = readonly (string | number)[]

function* damagedFields(json: unknown): Generator<[string, string]> {
  for (const path of pathsIn(json))
    for (const [says, form] of FORMS)
      yield [`${path.join('.') || 'the body'} is ${says}`, withField(json, path, form)]
}

/** The text of the JSON with one field in a wrong form. */
export function damageField(json: unknown, random: Random): string {
  const [, form] = random.pick(FORMS)
  return withField(json, random.pick([...pathsIn(json)]), form)
}

function withField(json: unknown, path: Path, form: (value: unknown, name: string) => unknown): string {
  const name = path.findLast((step) => typeof step === 'string') ?? 'data'
  return JSON.stringify(change(json, path, (value) => form(value, name))) ?? ''
}

function* pathsIn(json: unknown, path: Path = []): Generator<Path> {
  yield path
  if (Array.isArray(json))
    for (const [index, value] of json.entries()) yield* pathsIn(value, [...path, index])
  else if (typeof json === 'object' && json !== null)
    for (const [name, value] of Object.entries(json)) yield* pathsIn(value, [...path, name])
}

function change(json: unknown, [step, ...rest]: Path, by: (value: unknown) => unknown): unknown {
  if (step === undefined) return by(json)
  if (Array.isArray(json))
    return json.map((value, index) => (index === step ? change(value, rest, by) : value))
  const entries = Object.entries(json as object)
  return Object.fromEntries(
    entries.map(([name, value]) => [name, name === step ? change(value, rest, by) : value]),
  )
}

/** What may stand beside the images within the JSON. */
function* surroundings(json: object): Generator<[string, string]> {
  const errors = [
    {},
    null,
    '',
    ' ',
    [],
    false,
    0,
    { code: null, message: '' },
    'No.',
    { code: 'server_error', message: 'No.' },
  ]
  for (const error of errors) {
    yield [`with the error ${JSON.stringify(error)}`, JSON.stringify({ error, ...json })]
    yield [`with the error ${JSON.stringify(error)} at its end`, JSON.stringify({ ...json, error })]
  }
  yield ['with success: false', JSON.stringify({ ...json, success: false })]
  yield ['with code 500', JSON.stringify({ ...json, code: 500 })]
  yield ['with status: finished', JSON.stringify({ ...json, status: 'finished' })]
  yield ['with unknown fields', JSON.stringify({ unknown: { deep: ['x'] }, ...json })]
  yield ['with __proto__', `{"__proto__":{"data":7},${JSON.stringify(json).slice(1)}`]
  yield ['with a field twice', `{"created":"x",${JSON.stringify(json).slice(1)}`]
  yield ['with line breaks', JSON.stringify(json, undefined, 2).replaceAll('\n', ' ')]
  yield ['with escaped slashes', JSON.stringify(json).replaceAll('/', '\\/')]
}

/** What may stand around the text, or be missing of it. */
function* damagedTexts(text: string): Generator<[string, string]> {
  yield ['a byte order mark in front', `\uFEFF${text}`]
  yield ['line breaks in front', `\r\n\n${text}`]
  yield ['blanks behind', `${text}${' '.repeat(10_000)}`]
  yield ['NUL behind', `${text}\0\0`]
  yield ['words behind', `${text}\n<!-- 12 ms -->`]
  yield ['a bracket behind', `${text}}`]
  yield ['nothing at all', '']
  yield ['blanks only', ' '.repeat(1000)]
  yield ['HTML', '<html><title>502 Bad Gateway</title></html>']
}

function* damagedStreams(events: readonly GoodEvent[]): Generator<[string, string]> {
  const text = eventsText(events)
  const [name, data] = events.at(-1)!
  const before = eventsText(events.slice(0, -1))
  const { type: _type, ...untyped } = { type: '', ...data }
  yield ['no blank line at the end', text.trimEnd()]
  yield ['one line break at the end', `${text.trimEnd()}\n`]
  yield ['carriage returns', text.replaceAll('\n', '\r\n')]
  yield ['[DONE] at the end', `${text}data: [DONE]\n\n`]
  yield ['comments between', `: ping\n\n${before}: ping\n\n${eventText(name, JSON.stringify(data))}`]
  yield ['no event names', text.replaceAll(/^event: .*\n/gm, '')]
  yield ['no types', text.replaceAll(/"type":"[^"]*",/g, '')]
  yield [
    'an unknown type',
    before +
      eventText('image.generation.result', JSON.stringify({ ...untyped, type: 'image.generation.result' })),
  ]
  yield [
    'an unknown type with a list',
    before + eventText('result', JSON.stringify({ type: 'result', data: [untyped] })),
  ]
  yield ['neither name nor type', `${before}data: ${JSON.stringify({ data: [untyped] })}\n\n`]
  for (const error of [{}, null, '', { error: {} }, { error: null }, { error: '' }])
    yield [
      `an error event with ${JSON.stringify(error)} before`,
      eventText('error', JSON.stringify(error)) + text,
    ]
  yield [
    'an error event after',
    `${text}${eventText('error', '{"error":{"code":"server_error","message":"No."}}')}`,
  ]
  yield ['events that are not JSON', `event: ping\ndata: here\n\n${text}`]
}

function lastJson(good: GoodReply): object {
  return 'json' in good ? good.json : good.events.at(-1)![1]
}

function lastName(good: { events: readonly GoodEvent[] }): string {
  return good.events.at(-1)![0]
}

function eventsText(events: readonly GoodEvent[]): string {
  return events.map(([name, data]) => eventText(name, JSON.stringify(data))).join('')
}

function eventText(name: string, json: string): string {
  return `event: ${name}\ndata: ${json}\n\n`
}
