import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { HttpRoute } from './app.ts'
import { basePathOf } from './base-path.ts'
import { acceptsGzip, gzipped } from './compression.ts'
import { matchesEtag } from './etag.ts'
import { refusal } from './refusal.ts'
import { hostProblem } from './security/cross-site.ts'

interface DashboardOptions {
  /** From `npm run build`. */
  folder: string
  publicUrl: string | null
  /** Images are redirected to a bucket of unknown origin. */
  redirectsAssets: boolean
}

interface Page {
  html: string
  etag: string
}

/** Pages of the application; each is the same file. */
const PAGES = new RegExp(
  `^/(?:${[
    String.raw`tasks/[\w-]+|studio|compare|usage|review|connect|providers(?:/[\w.-]+)?`,
    String.raw`images(?:/img_\w+)?`,
    String.raw`access(?:/keys/\w+)?|webhooks(?:/(?:deliveries/)?\w+)?`,
  ].join('|')})?$`,
)
const FILE = /^\/dashboard\/([\w.-]+\.(js|css|svg))$/
const TYPES: Readonly<Record<string, string>> = {
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
}

/** Only browsers get `/`. Before REST, whose paths without a version begin with /images, too. */
export function createDashboardRoute(options: DashboardOptions): HttpRoute {
  const { folder, publicUrl } = options
  /** By name: some 200 KB per build served. */
  const compressed = new Map<string, Uint8Array<ArrayBuffer>>()

  async function servePage(request: Request, origin: string): Promise<Response> {
    const problem = hostProblem(origin, publicUrl)
    if (problem !== undefined) return refusal('HOST_NOT_ALLOWED', problem)
    // Read each time: a build may replace it.
    const page = await readPage(folder, basePathOf(publicUrl))
    const { html, etag } = page ?? { html: notBuilt(basePathOf(publicUrl)), etag: '"not-built"' }
    const headers = {
      'content-security-policy': policyFor(origin, options),
      'cross-origin-opener-policy': 'same-origin',
      'cache-control': 'no-cache',
      vary: 'accept',
      etag,
    }
    if (matchesEtag(request.headers.get('if-none-match'), etag))
      return new Response(null, { status: 304, headers })
    return new Response(html, { headers: { ...headers, 'content-type': 'text/html; charset=utf-8' } })
  }

  async function readBody(name: string, isGzip: boolean): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const plain = await readFile(join(folder, 'dashboard', name)).catch(() => undefined)
    if (!plain || !isGzip) return plain
    const body = await gzipped(plain)
    compressed.set(name, body)
    return body
  }

  /** The name contains a hash of the content. */
  async function serveFile(request: Request, name: string, extension: string): Promise<Response | undefined> {
    const isGzip = acceptsGzip(request)
    const body = (isGzip ? compressed.get(name) : undefined) ?? (await readBody(name, isGzip))
    if (!body) return undefined
    return new Response(body, {
      headers: {
        'content-type': TYPES[extension] ?? '',
        'cache-control': 'public, max-age=31536000, immutable',
        vary: 'accept-encoding',
        ...(isGzip && { 'content-encoding': 'gzip' }),
      },
    })
  }

  return async (request, client) => {
    if (request.method !== 'GET') return undefined
    const { pathname } = new URL(request.url)
    const [, name, extension = ''] = FILE.exec(pathname) ?? []
    if (name !== undefined) return serveFile(request, name, extension)
    if (!PAGES.test(pathname) || !request.headers.get('accept')?.includes('text/html')) return undefined
    return servePage(request, client().origin)
  }
}

async function readPage(folder: string, basePath: string): Promise<Page | undefined> {
  const html = await readFile(join(folder, 'index.html'), 'utf8').catch(() => undefined)
  if (html === undefined) return undefined
  const placed = html.replaceAll('"./dashboard/', `"${basePath}/dashboard/`)
  const hash = createHash('sha256').update(placed).digest('base64url').slice(0, 22)
  return { html: placed, etag: `W/"${hash}"` }
}

function policyFor(origin: string, { publicUrl, redirectsAssets }: DashboardOptions): string {
  const { host } = new URL(origin)
  const images = [publicUrl === null ? '' : ` ${new URL(publicUrl).origin}`, redirectsAssets ? ' https:' : '']
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    `img-src 'self' data: blob:${images.join('')}`,
    `connect-src 'self' ws://${host} wss://${host}`,
    "font-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; ')
}

function notBuilt(basePath: string): string {
  return `<!doctype html>
<html lang="en">
  <meta charset="utf-8" />
  <meta name="viewport" content="width=device-width, initial-scale=1" />
  <title>Darkroom</title>
  <h1>The dashboard is not built</h1>
  <p>Run <code>npm run build</code> in the folder of Darkroom, and reload this page.</p>
  <p>GraphQL works without it: <a href="${basePath}/graphql">GraphiQL</a>.</p>
</html>
`
}
