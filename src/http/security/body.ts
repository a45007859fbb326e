/** The largest image (20 MB) needs 27 MB as a data URL. */
export const MAX_JSON_BYTES = 32 * 1024 * 1024

export const MAX_UPLOAD_BYTES = 60 * 1024 * 1024

/** Undefined for a body over `maxBytes`. */
export async function readBody({ body, headers }: Request, maxBytes: number): Promise<Buffer | undefined> {
  if (Number(headers.get('content-length') ?? 0) > maxBytes) return undefined
  const chunks: Uint8Array[] = []
  let length = 0
  // Leaving a `for await` loop would close the connection before the client reads the response.
  const reader = body?.getReader()
  for (let read = await reader?.read(); read?.value; read = await reader?.read()) {
    length += read.value.byteLength
    if (length > maxBytes) {
      reader?.releaseLock()
      return undefined
    }
    chunks.push(read.value)
  }
  return Buffer.concat(chunks)
}

/** A kilobyte of gzip can become a gigabyte. */
export function encodingProblem({ headers }: Request): string | undefined {
  const encoding = headers.get('content-encoding')
  if (encoding === null || encoding.trim().toLowerCase() === 'identity') return undefined
  return `The content-encoding is "${encoding.slice(0, 60)}". Send the body uncompressed.`
}
