// The path of PUBLIC_URL: a proxy or a router may take it off the address of a request, or leave it in place.
import { Request } from '@whatwg-node/fetch'

/** The path of a public URL, without a slash at the end; empty when it has none. */
export function basePathOf(publicUrl: string | null): string {
  return publicUrl === null ? '' : new URL(publicUrl).pathname.replace(/\/+$/, '')
}

/** `pathname` without the base path; as it is when it does not begin with it. */
export function withoutBase(pathname: string, basePath: string): string {
  if (pathname === basePath) return '/'
  return pathname.startsWith(`${basePath}/`) ? pathname.slice(basePath.length) : pathname
}

type Serve = (request: Request, remoteAddress?: string) => Promise<Response>

/** Serves below the base path as well as without it. */
export function withBasePath(app: Serve, basePath: string): Serve {
  if (basePath === '') return app
  return (request, remoteAddress) => {
    const url = URL.parse(request.url)
    const pathname = url && withoutBase(url.pathname, basePath)
    if (url === null || pathname === null || pathname === url.pathname) return app(request, remoteAddress)
    url.pathname = pathname
    return app(new Request(url.href, request), remoteAddress)
  }
}
