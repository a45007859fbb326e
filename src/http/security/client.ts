// Who asks, and by which name: from the connection, and from the headers of proxies that the operator trusts.
import ipaddr from 'ipaddr.js'

/** The one who sent a request, proxies that are trusted looked through. */
export interface Client {
  /** Its IP address; null when the request came over no connection. */
  address: string | null
  /** The scheme and host by which it reached us, without a slash at the end. */
  origin: string
}

/** A request before it is believed. */
export interface Asked {
  /** Of the connection; undefined when there is none. */
  remoteAddress: string | undefined
  /** The value of a header, several joined by commas; null when it did not come. */
  header: (name: string) => string | null
  /** The origin as the connection and the Host header have it. */
  origin: string
}

/**
 * Reads who asks. X-Forwarded-For, -Proto and -Host count only when the connection comes from one of the `trusted` ranges,
 * because anybody can write them.
 */
export function createClientReader(trusted: readonly string[]): (asked: Asked) => Client {
  const ranges = trusted.map((range) => ipaddr.parseCIDR(range))
  const isTrusted = (address: string) => {
    const parsed = ipaddr.process(address)
    return ranges.some(([base, bits]) => base.kind() === parsed.kind() && parsed.match(base, bits))
  }

  return ({ remoteAddress, header, origin }) => {
    if (remoteAddress === undefined) return { address: null, origin }
    const address = ipaddr.process(remoteAddress).toString()
    if (!isTrusted(address)) return { address, origin }
    return {
      address: farthest(address, listOf(header('x-forwarded-for')), isTrusted),
      origin: forwardedOrigin(origin, header),
    }
  }
}

/** Each proxy adds whom it heard from at the end; what stands before the first one that is not trusted may be invented. */
function farthest(nearest: string, added: string[], isTrusted: (address: string) => boolean): string {
  let address = nearest
  for (const next of added.toReversed()) {
    if (!isTrusted(address) || !ipaddr.isValid(next)) return address
    address = ipaddr.process(next).toString()
  }
  return address
}

/** What the nearest proxy said, as far as it makes sense. */
function forwardedOrigin(origin: string, header: Asked['header']): string {
  const scheme = listOf(header('x-forwarded-proto')).at(-1)
  const host = listOf(header('x-forwarded-host')).at(-1)
  const url = new URL(origin)
  const protocol = scheme === 'https' || scheme === 'http' ? `${scheme}:` : url.protocol
  return URL.parse(`${protocol}//${host ?? url.host}`)?.origin ?? origin
}

function listOf(value: string | null): string[] {
  return (value ?? '')
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
}
