// Images in a multipart request: github.com/jaydenseric/graphql-multipart-request-spec
import type { Endpoint } from './endpoint.ts'
import type { GenerateImageInput, ImageInput } from './generated.ts'

/** Bytes in memory or in a file, a stream of them, or the place of an image that the server can read. */
export type ImageSource =
  | ImageBytes
  | Pick<ImageInput, 'dataUrl'>
  | Pick<ImageInput, 'imageId'>
  | Pick<ImageInput, 'url'>

type ImageBytes = Blob | Uint8Array | ArrayBuffer | ReadableStream<Uint8Array> | AsyncIterable<Uint8Array>

/** `GenerateImageInput` with images as they are at hand. */
export interface GenerateInput extends Omit<GenerateImageInput, 'images' | 'mask' | 'markup'> {
  /** To edit or to use as reference, at most 16 of up to 20 MiB. */
  images?: readonly ImageSource[] | null | undefined
  /** Its transparent pixels are redrawn. */
  mask?: ImageSource | null | undefined
  /** Drawn hints, for models that take them. Excludes `mask`. */
  markup?: ImageSource | null | undefined
}

/** Of progress. */
const CHUNK_BYTES = 65_536

export interface UploadProgress {
  sentBytes: number
  totalBytes: number
}

/** The input as GraphQL takes it, and files by path of their variable. Reads streams to their end. */
export async function takeFiles(
  input: GenerateInput,
): Promise<{ input: GenerateImageInput; files: ReadonlyMap<string, Blob> }> {
  const { images, mask, markup, ...settings } = input
  const files = new Map<string, Blob>()
  const take = async (source: ImageSource, path: string): Promise<ImageInput> => {
    if (!isBytes(source)) return source
    // A file can be sent again; a stream cannot.
    files.set(`variables.input.${path}.upload`, await toBlob(source))
    return { upload: null }
  }
  return {
    input: {
      ...settings,
      ...(images && { images: await Promise.all(images.map((one, index) => take(one, `images.${index}`))) }),
      ...(mask && { mask: await take(mask, 'mask') }),
      ...(markup && { markup: await take(markup, 'markup') }),
    },
    files,
  }
}

function isBytes(source: ImageSource): source is ImageBytes {
  return (
    source instanceof Blob ||
    source instanceof ArrayBuffer ||
    ArrayBuffer.isView(source) ||
    source instanceof ReadableStream ||
    Symbol.asyncIterator in source
  )
}

async function toBlob(source: ImageBytes): Promise<Blob> {
  if (source instanceof Blob) return source
  if (source instanceof ReadableStream) return new Response(source).blob()
  if (source instanceof ArrayBuffer || ArrayBuffer.isView(source)) return new Blob([source as BlobPart])
  const chunks: BlobPart[] = []
  for await (const chunk of source) chunks.push(chunk as BlobPart)
  return new Blob(chunks)
}

export function encodeForm(operations: string, files: ReadonlyMap<string, Blob>): FormData {
  const form = new FormData()
  const entries = [...files]
  form.append('operations', operations)
  form.append('map', JSON.stringify(Object.fromEntries(entries.map(([path], index) => [index, [path]]))))
  for (const [index, [, file]] of entries.entries()) form.append(String(index), file, 'image')
  return form
}

export async function sendForm(
  endpoint: Endpoint,
  headers: Record<string, string>,
  form: FormData,
  options: { signal: AbortSignal; onUploadProgress: ((progress: UploadProgress) => void) | undefined },
): Promise<Response> {
  // The server refuses forms that any page could send.
  const all = { ...headers, 'graphql-require-preflight': '1' }
  const { signal, onUploadProgress } = options
  if (!onUploadProgress)
    return endpoint.fetch(endpoint.url, { method: 'POST', headers: all, body: form, signal })
  // Of browsers, only XMLHttpRequest reports what was sent.
  if ('XMLHttpRequest' in globalThis) return sendByXhr(endpoint.url, all, form, signal, onUploadProgress)
  const body = await new Response(form).blob()
  return endpoint.fetch(endpoint.url, {
    method: 'POST',
    headers: { ...all, 'content-type': body.type },
    body: streamOf(body, onUploadProgress),
    duplex: 'half',
    signal,
  } as RequestInit)
}

/** Read as fast as it is sent. */
function streamOf(body: Blob, onProgress: (progress: UploadProgress) => void): ReadableStream<Uint8Array> {
  const totalBytes = body.size
  let sentBytes = 0
  return new ReadableStream({
    async pull(controller) {
      if (sentBytes === totalBytes) return controller.close()
      const chunk = await body.slice(sentBytes, sentBytes + CHUNK_BYTES).arrayBuffer()
      controller.enqueue(new Uint8Array(chunk))
      sentBytes += chunk.byteLength
      onProgress({ sentBytes, totalBytes })
    },
  })
}

function sendByXhr(
  url: URL,
  headers: Record<string, string>,
  body: FormData,
  signal: AbortSignal,
  onProgress: (progress: UploadProgress) => void,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    const xhr = new XMLHttpRequest()
    xhr.open('POST', url)
    for (const [name, value] of Object.entries(headers)) xhr.setRequestHeader(name, value)
    xhr.upload.onprogress = ({ loaded, total }) => onProgress({ sentBytes: loaded, totalBytes: total })
    xhr.onload = () => {
      const type = xhr.getResponseHeader('content-type') ?? ''
      resolve(new Response(xhr.responseText, { status: xhr.status, headers: { 'content-type': type } }))
    }
    xhr.onerror = () => reject(new TypeError('The upload failed.'))
    xhr.onabort = () => reject(signal.reason)
    signal.addEventListener('abort', () => xhr.abort(), { once: true })
    xhr.send(body)
  })
}
