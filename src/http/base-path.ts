// The path of PUBLIC_URL: a proxy or a router may take it off the address of a request, or leave it in place.

/** The path of a public URL, without a slash at the end; empty when it has none. */
export function basePathOf(publicUrl: string | null): string {
  return publicUrl === null ? '' : new URL(publicUrl).pathname.replace(/\/+$/, '')
}

/** A path, or a path and a query, without the base path; as it is when it does not begin with it. */
export function withoutBase(path: string, basePath: string): string {
  if (!path.startsWith(basePath)) return path
  const rest = path.slice(basePath.length)
  if (rest === '' || rest.startsWith('?')) return `/${rest}`
  return rest.startsWith('/') ? rest : path
}
