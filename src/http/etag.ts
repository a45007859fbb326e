/** Weak comparison of If-None-Match: https://www.rfc-editor.org/rfc/rfc9110#section-13.1.2. */
export function matchesEtag(ifNoneMatch: string | null, etag: string): boolean {
  const tags = (ifNoneMatch ?? '').split(',').map((tag) => tag.trim().replace(/^W\//, ''))
  const own = etag.replace(/^W\//, '')
  return tags.some((tag) => tag === own || tag === '*')
}
