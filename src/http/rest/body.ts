// JSON with images in base64, encoded while sent: its length is known, and large images are never in memory as a whole.
import { MAX_CACHED_FILE_BYTES } from '../../assets/memory-cache.ts'
import type { AssetStore } from '../../assets/store.ts'
import type { AssetRow } from '../../db/tables/tables.ts'

/** Text, or an image in base64. */
export type BodyPart = string | Pick<AssetRow, 'sha256' | 'byteSize'>

/** In bytes. */
export function lengthOfParts(parts: readonly BodyPart[]): number {
  return parts.reduce(
    (sum, part) =>
      sum + (typeof part === 'string' ? Buffer.byteLength(part) : Math.ceil(part.byteSize / 3) * 4),
    0,
  )
}

/** Throws AssetMissing. */
export async function* readParts(
  parts: Iterable<BodyPart>,
  store: Pick<AssetStore, 'open' | 'read'>,
): AsyncGenerator<Buffer, void> {
  for (const part of parts) {
    if (typeof part === 'string') yield Buffer.from(part)
    else if (part.byteSize <= MAX_CACHED_FILE_BYTES) yield* encode(await store.read(part.sha256))
    else yield* encodeStream(await store.open(part.sha256))
  }
}

/** A multiple of 3, for base64. Larger texts are collected later, and take several times the memory. */
const PIECE_BYTES = 3 * 16 * 1024

function* encode(bytes: Buffer): Generator<Buffer, void> {
  for (let at = 0; at < bytes.length; at += PIECE_BYTES)
    yield Buffer.from(bytes.toString('base64', at, Math.min(at + PIECE_BYTES, bytes.length)), 'latin1')
}

async function* encodeStream(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void> {
  let rest: Buffer = Buffer.alloc(0)
  for await (const chunk of chunks) {
    const start = rest.length === 0 ? 0 : 3 - rest.length
    if (chunk.length < start) {
      rest = Buffer.concat([rest, chunk])
      continue
    }
    if (start > 0) yield* encode(Buffer.concat([rest, chunk.subarray(0, start)]))
    const end = chunk.length - ((chunk.length - start) % 3)
    yield* encode(chunk.subarray(start, end))
    rest = chunk.subarray(end)
  }
  yield* encode(rest)
}
