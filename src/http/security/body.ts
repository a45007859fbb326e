// How much a request may bring along.
import { requestError } from '../refusal.ts'

/** One image of the largest size as a data URL (20 MB are 27 in base64) and what stands around it. More go as uploads. */
const MOST_JSON_BYTES = 32 * 1024 * 1024

/** Three images of the largest size, or sixteen usual ones. */
export const MOST_UPLOAD_BYTES = 60 * 1024 * 1024

/** The whole body, or undefined as soon as it is longer than `most`. */
export async function readBody({ body }: Request, most: number): Promise<Buffer | undefined> {
  const chunks: Uint8Array[] = []
  let length = 0
  // Not `for await`: leaving it would cut the connection before the client has read why.
  const reader = body?.getReader()
  for (let read = await reader?.read(); read?.value; read = await reader?.read()) {
    length += read.value.byteLength
    if (length > most) {
      reader?.releaseLock()
      return undefined
    }
    chunks.push(read.value)
  }
  return Buffer.concat(chunks)
}

/** How many bytes the body of a GraphQL request may have. */
export function mostBytes(isUpload: boolean): number {
  return isUpload ? MOST_UPLOAD_BYTES : MOST_JSON_BYTES
}

/** Throws REQUEST_TOO_LARGE when a body says that it is longer than `most`. */
export function checkLength({ headers }: Request, most: number): void {
  const length = Number(headers.get('content-length') ?? 0)
  if (length > most) throw tooLong(most, `${length}`)
}

/** The request with its body read, for a body that does not say how long it is. Throws REQUEST_TOO_LARGE. */
export async function withinBytes(request: Request, most: number): Promise<Request> {
  const body = await readBody(request, most)
  if (body === undefined) throw tooLong(most, 'more')
  return new Request(request.url, {
    method: request.method,
    headers: request.headers,
    body: new Uint8Array(body),
  })
}

/** Why a body cannot be read as it was encoded; undefined when it was not. A kilobyte of gzip can become a gigabyte. */
export function encodingProblem({ headers }: Request): string | undefined {
  const encoding = headers.get('content-encoding')
  if (encoding === null || encoding.trim().toLowerCase() === 'identity') return undefined
  return `A body in the content-encoding "${encoding.slice(0, 60)}" is not read; send it as it is.`
}

function tooLong(most: number, given: string): Error {
  return requestError('REQUEST_TOO_LARGE', `The body has ${given} bytes; at most ${most} are taken here.`)
}
