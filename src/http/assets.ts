// Image bytes over HTTP. The content of an address never changes, so everything here is made to be cached: for ever
// where anybody may have it, as long as the address is good where it is signed.
import { addAbortSignal, type Readable } from 'node:stream'
import { Response } from '@whatwg-node/server'
import { extensionOf, readAssetPath, readRendition, type RenditionSpec } from '../assets/address.ts'
import { HOT_FILE_BYTES } from '../assets/memory-cache.ts'
import { renditionEtag, type Renditions } from '../assets/renditions.ts'
import type { Signer } from '../assets/signature.ts'
import { AssetMissing, type AssetStore } from '../assets/store.ts'
import type { Clock } from '../clock.ts'
import { GatewayError } from '../errors.ts'
import type { Logger } from '../log.ts'
import { readByteRange } from './byte-range.ts'

/** What the route must know of an asset. */
export interface ServedAsset {
  id: string
  projectId: string
  sha256: string
  mimeType: string
  byteSize: number
}

interface AssetRouteOptions {
  /** Looks an asset up by its id, `img_…`; undefined when there is none. */
  find(id: string): Promise<ServedAsset | undefined>
  /** Whether nobody needs a key, so that no address needs a signature. */
  isOpen(): Promise<boolean>
  signer: Pick<Signer, 'goodUntil'>
  store: AssetStore
  renditions: Renditions
  clock: Clock
  /** Told when a disk fails while a file is being sent; silent by default. */
  log?: Logger
}

/** Something to be sent: how much there is, and any part of it. */
interface Content {
  mimeType: string
  byteSize: number
  bytes(range: { start: number; end: number }): Promise<Buffer | Readable>
}

// An image is never a page: should a browser be talked into showing it as one, nothing in it may run or load.
const SAFETY_HEADERS = {
  'x-content-type-options': 'nosniff',
  'content-security-policy': "sandbox; default-src 'none'",
  'cross-origin-resource-policy': 'cross-origin',
}

/**
 * Answers `/assets/<id>` with the original and `/assets/<id>?width=512&height=512&format=webp` with a rendition; an
 * extension after the id is allowed and ignored. Once keys are needed, the address must be signed: one that is not is
 * answered alike whether there is such an image or not. Resolves to undefined for every path not below `/assets/`.
 */
export function createAssetRoute(
  options: AssetRouteOptions,
): (request: Request) => Promise<Response | undefined> {
  return async (request) => {
    const url = new URL(request.url)
    if (!url.pathname.startsWith('/assets/')) return undefined
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return refusal(405, 'METHOD_NOT_ALLOWED', 'Use GET or HEAD.')
    try {
      return await answer(request, url, options)
    } catch (error) {
      if (error instanceof AssetMissing) return notFound()
      if (error instanceof GatewayError && error.code === 'BAD_USER_INPUT')
        return refusal(400, error.code, error.message)
      throw error
    }
  }
}

async function answer(request: Request, url: URL, options: AssetRouteOptions): Promise<Response> {
  const id = readAssetPath(url.pathname)
  const row = id === undefined ? undefined : await options.find(id)
  const isOpen = await options.isOpen()
  // Before anything is said about the image: only whoever has a good address learns that there is one.
  const spec = row === undefined && isOpen ? undefined : readRendition(url.searchParams)
  const maxAge = isOpen ? FOR_EVER : secondsLeft(options, row, url.searchParams, spec)
  if (maxAge === undefined) return notSigned()
  if (id === undefined || row === undefined) return notFound()

  const etag = spec ? renditionEtag(row.sha256, spec) : `"${row.sha256}"`
  const cacheControl = `${isOpen ? 'public' : 'private'}, max-age=${maxAge}, immutable`
  const caching = { etag, 'cache-control': cacheControl, ...SAFETY_HEADERS }
  // Known before anything is read or rendered, since an address always means the same bytes.
  if (isKnown(request.headers.get('if-none-match'), etag))
    return new Response(null, { status: 304, headers: caching })

  const content = spec ? await renditionContent(options, row, spec) : originalContent(options, row)
  const name = `${id}${extensionOf(content.mimeType)}`
  return send(request, content, options.log, {
    ...caching,
    'accept-ranges': 'bytes',
    'content-type': content.mimeType,
    'content-disposition': `inline; filename="${name}"`,
  })
}

/** In seconds, as caches count. */
const FOR_EVER = 31_536_000

/** How long a signed address is still good, in seconds; undefined when it is not. */
function secondsLeft(
  { signer, clock }: AssetRouteOptions,
  row: ServedAsset | undefined,
  query: URLSearchParams,
  spec: RenditionSpec | undefined,
): number | undefined {
  // What is not there is looked at as closely as what is.
  const until = signer.goodUntil(query, row ?? NOBODYS, spec ?? {})
  return until === undefined || !row ? undefined : Math.floor((until - clock.now()) / 1000)
}

const NOBODYS = { id: '', projectId: '' }

async function renditionContent(
  { renditions }: AssetRouteOptions,
  row: ServedAsset,
  spec: RenditionSpec,
): Promise<Content> {
  const { bytes, mimeType } = await renditions.rendition(row.sha256, spec)
  return { mimeType, byteSize: bytes.length, bytes: async ({ start, end }) => bytes.subarray(start, end + 1) }
}

function originalContent({ store }: AssetRouteOptions, row: ServedAsset): Content {
  return {
    mimeType: row.mimeType,
    byteSize: row.byteSize,
    async bytes(range) {
      if (row.byteSize > HOT_FILE_BYTES) return store.open(row.sha256, range)
      return (await store.read(row.sha256)).subarray(range.start, range.end + 1)
    },
  }
}

async function send(
  request: Request,
  content: Content,
  log: Logger | undefined,
  headers: Record<string, string>,
): Promise<Response> {
  const range =
    request.method === 'GET' ? readByteRange(rangeHeader(request, headers['etag']), content.byteSize) : 'all'
  if (range === 'none') {
    const unsatisfied = { ...SAFETY_HEADERS, 'content-range': `bytes */${content.byteSize}` }
    return refusal(416, 'RANGE_NOT_SATISFIABLE', `The file has ${content.byteSize} bytes.`, unsatisfied)
  }
  const part = range === 'all' ? { start: 0, end: content.byteSize - 1 } : range
  headers['content-length'] = String(part.end - part.start + 1)
  if (request.method === 'HEAD') return new Response(null, { headers })
  if (range !== 'all') headers['content-range'] = `bytes ${part.start}-${part.end}/${content.byteSize}`
  const body = await content.bytes(part)
  if (!Buffer.isBuffer(body)) watch(body, request, log)
  return new Response(asBody(body), {
    status: range === 'all' ? 200 : 206,
    headers,
  })
}

// @whatwg-node's Response takes a Node stream as it is, and its server pipes it with backpressure; only its types do not
// say so. A web stream would be slower, and is not let go of when the client leaves while the socket is full.
function asBody(body: Buffer | Readable): BodyInit {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return body as unknown as BodyInit
}

/** Frees the file when the client leaves, even before it took a byte, and keeps a failing disk from ending us. */
function watch(body: Readable, request: Request, log: Logger | undefined): void {
  addAbortSignal(request.signal, body)
  body.on('error', (error) => {
    if (error.name !== 'AbortError')
      log?.error({ err: error, path: new URL(request.url).pathname }, 'asset read failed')
  })
}

/** A range counts only for the version it was asked of, https://www.rfc-editor.org/rfc/rfc9110#section-13.1.5. */
function rangeHeader(request: Request, etag: string | undefined): string | null {
  const condition = request.headers.get('if-range')
  return condition === null || condition === etag ? request.headers.get('range') : null
}

/** Weak comparison, as If-None-Match wants it: https://www.rfc-editor.org/rfc/rfc9110#section-13.1.2. */
function isKnown(ifNoneMatch: string | null, etag: string): boolean {
  const tags = (ifNoneMatch ?? '').split(',').map((tag) => tag.trim().replace(/^W\//, ''))
  return tags.some((tag) => tag === etag || tag === '*')
}

function notFound(): Response {
  return refusal(
    404,
    'NOT_FOUND',
    'There is no such image; the address may be mistyped or the image removed.',
  )
}

function notSigned(): Response {
  return refusal(
    403,
    'FORBIDDEN',
    'The address is not signed, or no longer good. Ask GraphQL for the `url` of the image anew.',
  )
}

function refusal(
  status: number,
  code: string,
  message: string,
  headers: Record<string, string> = {},
): Response {
  const allow: Record<string, string> = status === 405 ? { allow: 'GET, HEAD' } : {}
  return Response.json({ error: { code, message } }, { status, headers: { ...headers, ...allow } })
}
