import ipaddr from 'ipaddr.js'

export interface Client {
  address: string | null
  origin: string
}

export type ClientReader = (request: Request, remoteAddress: string | undefined) => Client

/** X-Forwarded headers count only from `trusted` ranges. */
export function createClientReader(trusted: readonly string[]): ClientReader {
  const ranges = trusted.map((range) => ipaddr.parseCIDR(range))
  const isTrusted = (address: string) => {
    const parsed = ipaddr.process(address)
    return ranges.some(([base, bits]) => base.kind() === parsed.kind() && parsed.match(base, bits))
  }

  /** Each proxy appends its sender's address; a client may send forged entries. */
  function firstUntrusted(nearest: string, forwarded: string[]): string {
    let address = nearest
    for (const next of forwarded.toReversed()) {
      if (!isTrusted(address) || !ipaddr.isValid(next)) return address
      address = ipaddr.process(next).toString()
    }
    return address
  }

  return ({ url, headers }, remoteAddress) => {
    const { origin } = new URL(url)
    if (remoteAddress === undefined) return { address: null, origin }
    const address = ipaddr.process(remoteAddress).toString()
    if (!isTrusted(address)) return { address, origin }
    return {
      address: firstUntrusted(address, listOf(headers.get('x-forwarded-for'))),
      origin: forwardedOrigin(origin, headers),
    }
  }
}

/** From the nearest proxy; ignores invalid values. */
function forwardedOrigin(origin: string, headers: Headers): string {
  const scheme = listOf(headers.get('x-forwarded-proto')).at(-1)
  const host = listOf(headers.get('x-forwarded-host')).at(-1)
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
