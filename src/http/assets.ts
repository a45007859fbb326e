import { addAbortSignal, type Readable } from 'node:stream'
// Unlike the global class, it accepts a Node stream and sends it without a copy.
import { Response } from '@whatwg-node/server'
import { extensionOf, readAssetPath, readRendition, type RenditionSpec } from '../assets/address.ts'
import { MAX_CACHED_FILE_BYTES } from '../assets/memory-cache.ts'
import { renditionEtag, svgRefusal, type Renditions } from '../assets/renditions.ts'
import type { SignedAsset, Signer } from '../assets/signature.ts'
import { MAX_SVG_BYTES } from '../assets/svg/problem.ts'
import { AssetMissing, type AssetStore } from '../assets/store.ts'
import type { Clock } from '../clock.ts'
import { GatewayError } from '../errors.ts'
import type { Logger } from '../log.ts'
import { matchesEtag } from './etag.ts'
import { gatewayErrorRefusal, refusal } from './refusal.ts'

export interface ServedAsset {
  id: string
  projectId: string
  sha256: string
  mimeType: string
  byteSize: number
}

interface AssetRouteOptions {
  find(id: string): Promise<ServedAsset | undefined>
  /** Undefined also for an image that exists. */
  findDeleted(id: string): Promise<SignedAsset | undefined>
  /** Requests need no key, URLs no signature. */
  isOpen(): Promise<boolean>
  signer: Pick<Signer, 'findExpiry'>
  store: AssetStore
  renditions: Renditions
  /** `redirect` needs a store that presigns. Default `proxy`. */
  delivery?: 'proxy' | 'redirect'
  clock: Clock
  log?: Logger
}

interface ByteRange {
  start: number
  end: number
}

interface Content {
  mimeType: string
  byteSize: number
  read: (range: ByteRange) => Promise<Buffer | Readable>
}

// An image opened as a page must not run or load anything. An SVG is shown only by an image element.
const SAFETY_HEADERS = {
  'x-content-type-options': 'nosniff',
  'content-security-policy': "sandbox; default-src 'none'",
  'cross-origin-resource-policy': 'cross-origin',
}

/**
 * Serves `/assets/<id>` and renditions, `/assets/<id>?width=512&height=512&format=webp`. `download`: browsers save
 * the file. If API keys exist, the URL must be signed; an unsigned one does not reveal whether the image exists.
 */
export function createAssetRoute(
  options: AssetRouteOptions,
): (request: Request) => Promise<Response | undefined> {
  return async (request) => {
    const url = new URL(request.url)
    if (!url.pathname.startsWith('/assets/')) return undefined
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return refusal('METHOD_NOT_ALLOWED', 'Use GET or HEAD.', { allow: 'GET, HEAD' })
    try {
      return await respond(request, url, options)
    } catch (error) {
      if (error instanceof AssetMissing) return notFound()
      if (error instanceof GatewayError && error.code === 'BAD_USER_INPUT') return gatewayErrorRefusal(error)
      throw error
    }
  }
}

async function respond(request: Request, url: URL, options: AssetRouteOptions): Promise<Response> {
  const id = readAssetPath(url.pathname)
  const row = id === undefined ? undefined : await options.find(id)
  const deleted = id === undefined || row ? undefined : await options.findDeleted(id)
  const isOpen = await options.isOpen()
  const spec = row === undefined && isOpen ? undefined : readRendition(url.searchParams)
  const maxAge = isOpen ? YEAR_SECONDS : secondsLeft(options, row ?? deleted, url.searchParams, spec)
  if (maxAge === undefined)
    return refusal(
      'FORBIDDEN',
      'The URL is not signed, or its signature expired. Request a new `url` of the image over GraphQL.',
    )
  if (deleted) return refusal('GONE', 'The image was deleted.')
  if (id === undefined || row === undefined) return notFound()

  const etag = spec ? renditionEtag(row.sha256, spec) : `"${row.sha256}"`
  const cacheControl = `${isOpen ? 'public' : 'private'}, max-age=${maxAge}, immutable`
  const isSvg = row.mimeType === SVG && !spec
  const vary = isSvg ? { vary: 'sec-fetch-dest' } : {}
  const caching = { etag, 'cache-control': cacheControl, ...vary, ...SAFETY_HEADERS }
  if (matchesEtag(request.headers.get('if-none-match'), etag))
    return new Response(null, { status: 304, headers: caching })

  // Unsigned: changes how a browser handles the file, not who may read it.
  const isImage = !isSvg || request.headers.get('sec-fetch-dest') === 'image'
  const disposition = isImage && !url.searchParams.has('download') ? 'inline' : 'attachment'
  const filename = `${id}${extensionOf(row.mimeType)}`
  if (!spec && request.method === 'GET' && options.delivery === 'redirect' && RASTER.has(row.mimeType)) {
    const expiresInSeconds = Math.min(maxAge, PRESIGNED_SECONDS)
    const presigned = await options.store.presign?.(row.sha256, {
      expiresInSeconds,
      mimeType: row.mimeType,
      disposition: `${disposition}; filename="${filename}"`,
    })
    if (presigned !== undefined) return redirect(presigned, Math.floor(expiresInSeconds / 2))
  }
  const content = spec ? await renditionContent(options, row, spec) : originalContent(options, row)
  return send(request, content, options.log, {
    ...caching,
    'accept-ranges': 'bytes',
    'content-type': content.mimeType,
    'content-disposition': `${disposition}; filename="${id}${extensionOf(content.mimeType)}"`,
  })
}

const SVG = 'image/svg+xml'

const YEAR_SECONDS = 31_536_000

/** Short: revoking the image's own URL does not revoke a presigned one. */
const PRESIGNED_SECONDS = 300

/** Other types need the headers above, and a bucket sends its own. */
const RASTER: ReadonlySet<string> = new Set(['image/png', 'image/jpeg', 'image/webp', 'image/gif'])

function redirect(location: string, maxAge: number): Response {
  const headers = { location, 'cache-control': `private, max-age=${maxAge}`, ...SAFETY_HEADERS }
  return new Response(null, { status: 302, headers })
}

/** Undefined for a wrong or expired signature, or a missing asset. */
function secondsLeft(
  { signer, clock }: AssetRouteOptions,
  row: SignedAsset | undefined,
  query: URLSearchParams,
  spec: RenditionSpec | undefined,
): number | undefined {
  // Also for a missing asset, so that the response time does not reveal it.
  const expiresAt = signer.findExpiry(query, row ?? { id: '', projectId: '' }, spec ?? {})
  return expiresAt === undefined || !row ? undefined : Math.floor((expiresAt - clock.now()) / 1000)
}

async function renditionContent(
  { renditions }: AssetRouteOptions,
  row: ServedAsset,
  spec: RenditionSpec,
): Promise<Content> {
  // Before the read: it may have 100 MB.
  if (row.mimeType === SVG && row.byteSize > MAX_SVG_BYTES)
    throw svgRefusal(`has ${row.byteSize} bytes; the maximum is ${MAX_SVG_BYTES}`)
  const { bytes, mimeType } = await renditions.rendition(row.sha256, spec)
  return { mimeType, byteSize: bytes.length, read: async ({ start, end }) => bytes.subarray(start, end + 1) }
}

function originalContent({ store }: AssetRouteOptions, { sha256, mimeType, byteSize }: ServedAsset): Content {
  return {
    mimeType,
    byteSize,
    async read(range) {
      if (byteSize > MAX_CACHED_FILE_BYTES) return store.open(sha256, range)
      return (await store.read(sha256)).subarray(range.start, range.end + 1)
    },
  }
}

async function send(
  request: Request,
  { byteSize, read }: Content,
  log: Logger | undefined,
  headers: Record<string, string>,
): Promise<Response> {
  const range = request.method === 'GET' ? readByteRange(rangeOf(request, headers['etag']), byteSize) : 'all'
  if (range === 'none')
    return refusal('RANGE_NOT_SATISFIABLE', `The file has ${byteSize} bytes.`, {
      ...SAFETY_HEADERS,
      'content-range': `bytes */${byteSize}`,
    })
  const part = range === 'all' ? { start: 0, end: byteSize - 1 } : range
  headers['content-length'] = String(part.end - part.start + 1)
  if (request.method === 'HEAD') return new Response(null, { headers })
  if (range !== 'all') headers['content-range'] = `bytes ${part.start}-${part.end}/${byteSize}`
  const body = await read(part)
  if (!Buffer.isBuffer(body)) closeOnDisconnect(body, request, log)
  // A Node stream, because a web stream stays open if the client disconnects while the socket buffer is full.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return new Response(body as unknown as BodyInit, { status: range === 'all' ? 200 : 206, headers })
}

function closeOnDisconnect(body: Readable, request: Request, log: Logger | undefined): void {
  addAbortSignal(request.signal, body)
  body.on('error', (error) => {
    if (error.name !== 'AbortError')
      log?.error({ err: error, path: new URL(request.url).pathname }, 'asset read failed')
  })
}

/** If-Range: https://www.rfc-editor.org/rfc/rfc9110#section-13.1.5. */
function rangeOf(request: Request, etag: string | undefined): string | null {
  const condition = request.headers.get('if-range')
  return condition === null || condition === etag ? request.headers.get('range') : null
}

/**
 * `all` for forms that a server may ignore, `none` after the end: https://www.rfc-editor.org/rfc/rfc9110#section-14.
 */
function readByteRange(header: string | null, byteSize: number): ByteRange | 'all' | 'none' {
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/i.exec(header?.trim() ?? '') ?? []
  if (first === '' && last === '') return 'all'
  if (first === '') {
    const count = Number(last)
    if (count === 0 || byteSize === 0) return 'none'
    return { start: Math.max(0, byteSize - count), end: byteSize - 1 }
  }
  const start = Number(first)
  if (last !== '' && Number(last) < start) return 'all'
  const end = last === '' ? byteSize - 1 : Math.min(Number(last), byteSize - 1)
  return start < byteSize ? { start, end } : 'none'
}

function notFound(): Response {
  return refusal('NOT_FOUND', 'There is no such image. Check the URL; the image may have been deleted.')
}
