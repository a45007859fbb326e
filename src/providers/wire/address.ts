// Where a picture may be fetched from. A base URL is the operator's word and may be private. An address that came in a
// request never may; one that came in a provider's reply may only on that provider's own origin.
import { lookup as lookupName, type LookupAddress, type LookupAllOptions } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import ipaddr from 'ipaddr.js'
import { buildConnector } from 'undici'

/** What an address must be like. */
export interface AddressRule {
  /** `https:` and perhaps `http:`. */
  protocols: readonly string[]
  /** As in a URL, '' being the protocol's own; null allows every port. */
  ports: readonly string[] | null
  maxLength: number
  /** The one origin that may be private; null when none may. */
  trustedOrigin: string | null
  /** Whether an IP address is on the public internet. */
  isPublic(address: string): boolean
}

/** How a host name becomes addresses: `dns.lookup`, or what a test has instead. */
export type Resolve = (
  hostname: string,
  options: LookupAllOptions,
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void

/** The rule for addresses that came in a request: the web's own ports on public hosts. */
export function requestRule(protocols: readonly string[] = ['https:']): AddressRule {
  return {
    protocols,
    ports: ['', '80', '443'],
    maxLength: 2048,
    trustedOrigin: null,
    isPublic: isPublicAddress,
  }
}

/** The rule for addresses in the replies of the provider at `baseUrl`. Signed links are long, and CDNs still speak http. */
export function replyRule(baseUrl: string): AddressRule {
  const { origin } = new URL(baseUrl)
  return {
    protocols: ['https:', 'http:'],
    ports: null,
    maxLength: 8192,
    trustedOrigin: origin,
    isPublic: isPublicAddress,
  }
}

/**
 * What is wrong with an address, as far as its text tells, in words for whoever sent it; undefined when nothing is.
 * What its name resolves to is checked at each connection, since it may change in between.
 */
export function checkUrl(text: string, rule: AddressRule): string | undefined {
  if (text.length > rule.maxLength) return `must not be longer than ${rule.maxLength} characters`
  const url = URL.parse(text)
  if (!url) return 'must be an absolute URL'
  const protocols = rule.protocols.map((protocol) => `${protocol}//`).join(' or ')
  if (!rule.protocols.includes(url.protocol)) return `must begin with ${protocols}`
  if (url.username !== '' || url.password !== '') return 'must not contain a user name or password'
  if (url.origin === rule.trustedOrigin) return undefined
  if (rule.ports && !rule.ports.includes(url.port))
    return `must not name port ${url.port}; 80 and 443 are allowed`
  if (isForbiddenHost(url.hostname, rule)) return 'must be on a public host'
  return undefined
}

/** An undici connector that holds every single connection to the rule: redirects, reconnects and IP literals alike. */
export function guardedConnector(rule: AddressRule, resolve: Resolve = lookupName): buildConnector.connector {
  const trusted = buildConnector({ allowH2: false, timeout: CONNECT_MS })
  const guarded = buildConnector({
    allowH2: false,
    timeout: CONNECT_MS,
    lookup: guardedLookup(rule, resolve),
  })
  return (options, callback) => {
    const origin = URL.parse(`${options.protocol}//${options.host ?? options.hostname}`)?.origin
    if (origin === rule.trustedOrigin) return trusted(options, callback)
    // Node never asks `lookup` about an IP literal (github.com/nodejs/undici/issues/2019), so those are checked here.
    if (isForbiddenHost(options.hostname, rule)) return callback(new ForbiddenAddress(), null)
    guarded(options, callback)
  }
}

/** Thrown, and given to callbacks, where the rule forbids a connection. Says nothing of what a name resolved to. */
export class ForbiddenAddress extends Error {
  override name = 'ForbiddenAddress'

  constructor() {
    super('is not on a public host')
  }
}

/** False for every address that is not plainly on the public internet, in any spelling. */
export function isPublicAddress(address: string): boolean {
  if (!ipaddr.isValid(address)) return false
  const parsed = ipaddr.process(address)
  if (parsed.range() !== 'unicast') return false
  return !ALSO_PRIVATE.some((network) => parsed.kind() === network[0].kind() && parsed.match(network))
}

function isForbiddenHost(hostname: string, rule: AddressRule): boolean {
  const host = hostname.replace(/^\[|\]$/g, '')
  if (isIP(host)) return !rule.isPublic(host)
  // RFC 6761 reserves the name for the machine itself, with or without the final dot.
  return /(^|\.)localhost\.?$/i.test(host) && !rule.isPublic('127.0.0.1')
}

function guardedLookup(rule: AddressRule, resolve: Resolve): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, '')
      // One private answer among public ones is how a name is made to lead inside, so it condemns them all.
      const [first] = addresses
      if (!first || !addresses.every(({ address }) => rule.isPublic(address)))
        return callback(new ForbiddenAddress(), '')
      if (options.all) return callback(null, addresses)
      callback(null, first.address, first.family)
    })
  }
}

const CONNECT_MS = 10_000

// What ipaddr.js counts as unicast and is not: Azure's host agent
// (learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16), and the IPv4-compatible addresses that
// RFC 4291, section 2.5.5.1, withdrew: `::7f00:1` is 127.0.0.1 to some systems.
const ALSO_PRIVATE = [ipaddr.parseCIDR('168.63.129.16/32'), ipaddr.parseCIDR('::/96')]
