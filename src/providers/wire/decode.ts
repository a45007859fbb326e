// Content codings of RFC 9110, 8.4. Servers may apply one that the request does not accept.
import { pipeline, Readable, type Transform } from 'node:stream'
import {
  constants,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createInflateRaw,
  createZstdDecompress,
} from 'node:zlib'
import type { Dispatcher } from 'undici'
import { MalformedReply } from './malformed.ts'
import { isImage, peek, SIGNATURE_BYTES } from './peek.ts'

/** Decoded over encoded: base64 has 1.4, images 1. */
const MAX_RATIO = 100
/** Decoded bytes that the ratio does not limit. */
const MIN_RATIO_BYTES = 4 * 1024 * 1024

/** Unchanged if the coding is unknown or does not match the first bytes. Throws MalformedReply beyond `maxRatio`. */
export function decodeBody(
  { body, headers }: Pick<Dispatcher.ResponseData, 'body' | 'headers'>,
  maxRatio = MAX_RATIO,
): AsyncIterable<Buffer> {
  const codings = String(headers['content-encoding'] ?? '')
    .toLowerCase()
    .split(',')
  return codings.reduceRight(
    (bytes: AsyncIterable<Buffer>, coding) => decode(bytes, coding.trim(), maxRatio),
    body,
  )
}

async function* decode(
  bytes: AsyncIterable<Buffer>,
  coding: string,
  maxRatio: number,
): AsyncGenerator<Buffer> {
  const { first, body } = await peek(bytes, SIGNATURE_BYTES)
  const decoder = first.length < SIGNATURE_BYTES ? undefined : CODINGS.get(coding)?.(first)
  if (!decoder) {
    yield* body
    return
  }
  let received = 0
  async function* counted(): AsyncGenerator<Buffer> {
    for await (const chunk of body) {
      received += chunk.length
      yield chunk
    }
  }
  let decoded = 0
  const output: AsyncIterable<Buffer> = pipeline(Readable.from(counted()), decoder, () => undefined)
  for await (const chunk of output) {
    decoded += chunk.length
    if (decoded > MIN_RATIO_BYTES && decoded > maxRatio * received)
      throw new MalformedReply(`unpacks to more than ${maxRatio} times its length`)
    yield chunk
  }
}

// A missing trailer costs no content.
const ZLIB = { finishFlush: constants.Z_SYNC_FLUSH }
const BROTLI = { finishFlush: constants.BROTLI_OPERATION_FLUSH }
const ZSTD = { finishFlush: constants.ZSTD_e_flush }

function gzip(first: Buffer): Transform | undefined {
  return first.readUInt16BE() === 0x1f8b ? createGunzip(ZLIB) : undefined
}

// Some servers omit zlib's header (RFC 9110, 8.4.1.2).
function inflate(first: Buffer): Transform | undefined {
  const hasHeader = (first[0]! & 0x0f) === 8 && first.readUInt16BE() % 31 === 0
  if (hasHeader) return createInflate(ZLIB)
  return isImage(first) ? undefined : createInflateRaw(ZLIB)
}

/** Undefined for another signature. */
const CODINGS: ReadonlyMap<string, (first: Buffer) => Transform | undefined> = new Map([
  ['gzip', gzip],
  ['x-gzip', gzip],
  ['deflate', inflate],
  ['br', (first) => (isImage(first) ? undefined : createBrotliDecompress(BROTLI))],
  ['zstd', (first) => (first.readUInt32LE() === 0xfd2fb528 ? createZstdDecompress(ZSTD) : undefined)],
])
