// Each returns the broken rule; undefined if valid.
import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'

const HOST_NAME = /^(?!-)[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})*$/

export function hostProblem(host: string): string | undefined {
  if (isIP(host) !== 0 || HOST_NAME.test(host)) return undefined
  return 'it must be an IP address of this machine, such as 127.0.0.1 or 0.0.0.0, or a host name'
}

export function isLoopback(host: string): boolean {
  if (host === 'localhost') return true
  return isIP(host) !== 0 && ipaddr.process(host).range() === 'loopback'
}

export function databaseUrlProblem(value: string): string | undefined {
  const url = URL.parse(value)
  if (url && ['postgres:', 'postgresql:'].includes(url.protocol) && url.host !== '') return undefined
  return 'it must be a postgres:// URL. Leave it out to use SQLite in the data directory'
}

export function publicUrlProblem(value: string): string | undefined {
  const url = URL.parse(value)
  const isPlain =
    url && /^https?:$/.test(url.protocol) && !url.username && !url.password && !url.search && !url.hash
  return isPlain ? undefined : 'it must be an http:// or https:// URL without credentials, query or fragment'
}

/** A wildcard lets any web page spend money. */
export function originProblem(value: string): string | undefined {
  const url = URL.parse(value)
  if (url && /^https?:$/.test(url.protocol) && url.origin === value) return undefined
  return 'it must be one origin as browsers send it, such as https://app.example.com. "*" is not accepted'
}

/** A range of all addresses lets any client forge its own. */
export function cidrProblem(value: string): string | undefined {
  if (ipaddr.isValidCIDR(value) && ipaddr.parseCIDR(value)[1] > 0) return undefined
  return 'it must be a CIDR range, such as 10.0.0.0/8 or 127.0.0.1/32, and must not cover all addresses'
}

/** 128 bits in hexadecimal. */
const MIN_ADMIN_KEY_LENGTH = 32

export function adminKeyProblem(key: string): string | undefined {
  if (!/^[\x21-\x7e]*$/.test(key))
    return 'it must be printable ASCII without spaces, because it is sent in a header'
  if (key.length >= MIN_ADMIN_KEY_LENGTH) return undefined
  return (
    `it must have at least ${MIN_ADMIN_KEY_LENGTH} characters, because anyone who guesses it can spend money. ` +
    'Generate one with `openssl rand -base64 33`'
  )
}
