/** The first bytes, at least `size` if available, and the whole body. */
export async function peek(
  body: AsyncIterable<Buffer>,
  size: number,
): Promise<{ first: Buffer; body: AsyncGenerator<Buffer> }> {
  const chunks = body[Symbol.asyncIterator]()
  let first: Buffer = Buffer.alloc(0)
  while (first.length < size) {
    const next = await chunks.next()
    if (next.done) break
    first = Buffer.concat([first, next.value])
  }
  return { first, body: resume(first, chunks) }
}

async function* resume(first: Buffer, chunks: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  try {
    if (first.length > 0) yield first
    for (let next = await chunks.next(); !next.done; next = await chunks.next()) yield next.value
  } finally {
    await chunks.return?.()
  }
}

/** PNG, JPEG, WebP, GIF and SVG signatures, of this length. */
export function isImage(first: Buffer): boolean {
  return /^(?:\x89PNG|\xff\xd8\xff|RIFF|GIF8|<svg)/.test(first.toString('latin1', 0, SIGNATURE_BYTES))
}

export const SIGNATURE_BYTES = 4
