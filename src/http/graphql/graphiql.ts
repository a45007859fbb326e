import { createHash } from 'node:crypto'
// Unlike the global class, it sends the bytes without a copy.
import { Response } from '@whatwg-node/server'
import { systemClock } from '../../clock.ts'
import { acceptsGzip, gzipped } from '../compression.ts'
import { matchesEtag } from '../etag.ts'
import type { Client } from '../security/client.ts'
import { exampleTabs } from './graphiql-examples.ts'

const HEAD = `<meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <style>
        /* Tabs keep a stale offset, which GraphiQL hides only until one has the focus: the click would miss. */
        .graphiql-tab { transform: none !important }
        @media (max-width: 700px) {
          #graphiql-session { flex-direction: column }
          .graphiql-horizontal-drag-bar, .graphiql-logo { display: none }
          .graphiql-response { min-height: 40% }
        }
      </style>
      <script>
        // Without an offset, a dragged tab would not follow the pointer.
        addEventListener('pointerdown', (event) => {
          if (event.target.closest('.graphiql-tab')) event.stopPropagation()
        }, true)
        // Headers hold API keys. GraphiQL stores them unless its settings say otherwise.
        if (localStorage.getItem('graphiql:shouldPersistHeaders') === null) {
          localStorage.setItem('graphiql:shouldPersistHeaders', 'false')
          localStorage.removeItem('graphiql:headers')
          localStorage.removeItem('graphiql:tabState')
        }
      </script>`

/** Resolves to undefined unless the request accepts HTML. */
export type Page = (request: Request, client: Client) => Promise<Response | undefined>

interface RenderedPage {
  etag: string
  /** For the content security policy. */
  scripts: string
  plain: Uint8Array<ArrayBuffer>
  gzipped: Uint8Array<ArrayBuffer>
}

/** Renders the page, which has 9 MB, on the first request: 2 MB compressed. */
export function createPage(): Page {
  let rendering: Promise<RenderedPage> | undefined
  return async (request, { origin }) => {
    const { method, headers } = request
    if (method !== 'GET' || !headers.get('accept')?.includes('text/html')) return undefined
    const { etag, scripts, ...page } = await (rendering ??= renderPage())
    const common = {
      'content-security-policy': policy(scripts, new URL(origin).host),
      etag,
      'cache-control': 'private, no-cache',
      vary: 'accept, accept-encoding',
    }
    if (matchesEtag(headers.get('if-none-match'), etag))
      return new Response(null, { status: 304, headers: common })
    const isGzip = acceptsGzip(request)
    const body = isGzip ? page.gzipped : page.plain
    return new Response(body, {
      headers: {
        ...common,
        'content-type': 'text/html; charset=utf-8',
        'content-length': String(body.byteLength),
        ...(isGzip && { 'content-encoding': 'gzip' }),
      },
    })
  }
}

async function renderPage(): Promise<RenderedPage> {
  const { renderGraphiQL } = await import('@graphql-yoga/render-graphiql')
  const page = renderGraphiQL({
    title: 'Darkroom',
    // GraphiQL sends the headers of its editor over event streams, but not over a WebSocket.
    subscriptionsProtocol: 'SSE',
    defaultTabs: exampleTabs(new Date(systemClock.now()).getUTCFullYear()),
  })
  const html = page.replace('<meta charset="utf-8" />', () => HEAD)
  const plain = new TextEncoder().encode(html)
  const etag = `W/"${createHash('sha256').update(plain).digest('base64url').slice(0, 22)}"`
  return {
    etag,
    scripts: scriptHashes(html),
    plain,
    gzipped: await gzipped(plain),
  }
}

function policy(scripts: string, host: string): string {
  return [
    "default-src 'none'",
    `script-src ${scripts}`,
    // The Monaco editor adds inline styles and starts its workers from blobs.
    "style-src 'unsafe-inline'",
    'worker-src blob:',
    'font-src data:',
    "img-src 'self' data: https:",
    `connect-src 'self' ws://${host} wss://${host}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ')
}

function scriptHashes(html: string): string {
  const scripts = [...html.matchAll(/<script>([\s\S]*?)<\/script>/g)]
  const hashes = scripts.map(([, text = '']) => createHash('sha256').update(text).digest('base64'))
  return hashes.map((hash) => `'sha256-${hash}'`).join(' ')
}
