// The path of PUBLIC_URL, which a reverse proxy may remove from a request or keep.
/** Without a trailing slash; empty if the URL is null or has no path. */
export function basePathOf(publicUrl: string | null): string {
  return publicUrl === null ? '' : new URL(publicUrl).pathname.replace(/\/+$/, '')
}

/** Removes the base path from a path, with or without a query, if the path begins with it. */
export function withoutBase(path: string, basePath: string): string {
  if (!path.startsWith(basePath)) return path
  const rest = path.slice(basePath.length)
  if (rest === '' || rest.startsWith('?')) return `/${rest}`
  return rest.startsWith('/') ? rest : path
}
