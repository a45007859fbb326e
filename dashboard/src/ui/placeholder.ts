import { thumbHashToDataURL } from 'thumbhash'

const MAX_CACHED = 500
const cache = new Map<string, string>()

/** A blurred picture of about 32 pixels, as a data URL. Undefined without a hash. */
export function placeholderOf(thumbhash: string | null | undefined): string | undefined {
  if (!thumbhash) return undefined
  const known = cache.get(thumbhash)
  if (known !== undefined) return known
  const url = thumbHashToDataURL(Uint8Array.from(atob(thumbhash), (letter) => letter.charCodeAt(0)))
  cache.set(thumbhash, url)
  if (cache.size > MAX_CACHED) cache.delete(cache.keys().next().value ?? '')
  return url
}
