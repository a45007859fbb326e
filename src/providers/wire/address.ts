// Against server-side request forgery. Base URLs, the operator's, may be private; addresses in requests may not.
import { lookup as lookupName, type LookupAddress, type LookupAllOptions } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import ipaddr from 'ipaddr.js'
import { buildConnector } from 'undici'

export interface AddressRule {
  protocols: readonly string[]
  /** '': the default port; null: all. */
  ports: readonly string[] | null
  maxLength: number
  /** The only origin that may be private. */
  trustedOrigin: string | null
  isPublic(address: string): boolean
}

export type Resolve = (
  hostname: string,
  options: LookupAllOptions,
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void

export function requestRule(protocols: readonly string[] = ['https:']): AddressRule {
  const ports = ['', '80', '443']
  return { protocols, ports, maxLength: 2048, trustedOrigin: null, isPublic: isPublicAddress }
}

/** For links in replies: long, http and the provider's own origin are allowed. */
export function replyRule(baseUrl: string): AddressRule {
  const { origin: trustedOrigin } = new URL(baseUrl)
  return { ...requestRule(['https:', 'http:']), ports: null, maxLength: 8192, trustedOrigin }
}

/** Completes "the address …"; undefined if valid. Host names are checked at connection. */
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
  return isForbiddenHost(url.hostname, rule) ? 'must be on a public host' : undefined
}

/** Checks every connection: also redirects and IP literals. */
export function guardedConnector(rule: AddressRule, resolve: Resolve = lookupName): buildConnector.connector {
  const options = { allowH2: false, timeout: CONNECT_MS }
  const trusted = buildConnector(options)
  const guarded = buildConnector({ ...options, lookup: guardedLookup(rule, resolve) })
  return (target, callback) => {
    const origin = URL.parse(`${target.protocol}//${target.host ?? target.hostname}`)?.origin
    if (origin === rule.trustedOrigin) return trusted(target, callback)
    // Node calls no `lookup` for IP literals (github.com/nodejs/undici/issues/2019).
    if (isForbiddenHost(target.hostname, rule)) return callback(new ForbiddenAddress(), null)
    guarded(target, callback)
  }
}

/** Completes "the address …", without host. */
export class AddressError<Failure extends string> extends Error {
  readonly failure: Failure

  constructor(failure: Failure, message: string, options?: ErrorOptions) {
    super(message, options)
    this.failure = failure
  }
}

export function toAddressFailure(
  cause: unknown,
  signal: AbortSignal,
  timedOut = 'did not answer in time',
): ['FORBIDDEN' | 'TIMED_OUT' | 'UNREACHABLE', string, ErrorOptions] {
  if (cause instanceof ForbiddenAddress) return ['FORBIDDEN', cause.message, { cause }]
  if (signal.aborted) return ['TIMED_OUT', timedOut, { cause }]
  return ['UNREACHABLE', 'could not be reached', { cause }]
}

/** Does not reveal what a name resolved to. */
export class ForbiddenAddress extends Error {
  override name = 'ForbiddenAddress'

  constructor() {
    super('is not on a public host')
  }
}

/** False if possibly private. */
export function isPublicAddress(address: string): boolean {
  if (!ipaddr.isValid(address)) return false
  const parsed = ipaddr.process(address)
  if (parsed.range() !== 'unicast') return false
  return !ALSO_PRIVATE.some((network) => parsed.kind() === network[0].kind() && parsed.match(network))
}

function isForbiddenHost(hostname: string, rule: AddressRule): boolean {
  const host = hostname.replace(/^\[|\]$/g, '')
  if (isIP(host)) return !rule.isPublic(host)
  // RFC 6761 reserves the name for loopback.
  return /(^|\.)localhost\.?$/i.test(host) && !rule.isPublic('127.0.0.1')
}

function guardedLookup(rule: AddressRule, resolve: Resolve): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, '')
      // DNS rebinding hides a private address among public ones.
      const [first] = addresses
      if (!first || !addresses.every(({ address }) => rule.isPublic(address)))
        return callback(new ForbiddenAddress(), '')
      if (options.all) return callback(null, addresses)
      callback(null, first.address, first.family)
    })
  }
}

const CONNECT_MS = 10_000

// ipaddr.js calls them unicast: Azure's host agent; IPv4-compatible ones (RFC 4291, 2.5.5.1) such as `::7f00:1`.
const ALSO_PRIVATE = [ipaddr.parseCIDR('168.63.129.16/32'), ipaddr.parseCIDR('::/96')]
