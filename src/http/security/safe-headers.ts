/** On every response: it is what it says it is, stands in no frame, loads nothing, and names nobody to where it leads. */
export const SAFE_HEADERS: Readonly<Record<string, string>> = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'content-security-policy':
    "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  // The same as frame-ancestors, for browsers that are too old for it.
  'x-frame-options': 'DENY',
}

/** Puts them on a response, except those that it has. */
export function makeSafe(response: Response): Response {
  for (const [name, value] of Object.entries(SAFE_HEADERS)) {
    if (!response.headers.has(name)) response.headers.set(name, value)
  }
  return response
}
