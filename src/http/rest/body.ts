// A JSON text with images in base64, read from the store while it is sent: its length is known, its bytes are not in memory.
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
  store: Pick<AssetStore, 'open'>,
): AsyncGenerator<Buffer, void> {
  for (const part of parts) {
    if (typeof part === 'string') yield Buffer.from(part)
    else yield* readBase64(part, store)
  }
}

async function* readBase64(
  { sha256 }: { sha256: string },
  store: Pick<AssetStore, 'open'>,
): AsyncGenerator<Buffer, void> {
  let rest: Buffer = Buffer.alloc(0)
  for await (const chunk of await store.open(sha256)) {
    const bytes: Buffer = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk
    // Three bytes are four characters.
    const whole = bytes.length - (bytes.length % 3)
    if (whole > 0) yield Buffer.from(bytes.toString('base64', 0, whole), 'latin1')
    rest = bytes.subarray(whole)
  }
  if (rest.length > 0) yield Buffer.from(rest.toString('base64'), 'latin1')
}
