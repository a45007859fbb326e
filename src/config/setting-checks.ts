// What single settings must look like. Each function says what would be right; undefined if it is right.
import ipaddr from 'ipaddr.js'

/** PostgreSQL by URL; everything else is SQLite in the data directory. */
export function databaseProblem(value: string): string | undefined {
  const url = URL.parse(value)
  if (url && ['postgres:', 'postgresql:'].includes(url.protocol) && url.host !== '') return undefined
  return 'it must be a postgres:// URL, or be left out for SQLite in the data directory'
}

/** Where clients reach the server, when that is not where it listens. */
export function publicUrlProblem(value: string): string | undefined {
  const url = URL.parse(value)
  const isPlain =
    url && /^https?:$/.test(url.protocol) && !url.username && !url.password && !url.search && !url.hash
  return isPlain ? undefined : 'it must be an http:// or https:// URL without credentials, query or fragment'
}

/** An origin as a browser sends it. A wildcard is no origin: any web page could then spend money. */
export function originProblem(value: string): string | undefined {
  const url = URL.parse(value)
  if (url && /^https?:$/.test(url.protocol) && url.origin === value) return undefined
  return 'it must be one origin as browsers send it, https://app.example.com for example; "*" is not accepted'
}

/** The addresses of a proxy. A range of all addresses would let every client say who it is. */
export function rangeProblem(value: string): string | undefined {
  if (ipaddr.isValidCIDR(value) && ipaddr.parseCIDR(value)[1] > 0) return undefined
  return 'it must be a range of addresses in CIDR notation, 10.0.0.0/8 or 127.0.0.1/32 for example'
}

/** Short keys are guessed: 32 characters at random have more than 128 bits, however few different ones they use. */
const MIN_ADMIN_KEY_LENGTH = 32

/** What is wrong with the key of the operator; undefined when nothing is. */
export function adminKeyProblem(key: string): string | undefined {
  if (!/^[\x21-\x7e]*$/.test(key)) return 'it must be printable ASCII without spaces, to go into a header'
  if (key.length >= MIN_ADMIN_KEY_LENGTH) return undefined
  return (
    `it must have at least ${MIN_ADMIN_KEY_LENGTH} characters, because whoever guesses it may spend money; ` +
    '`openssl rand -base64 33` makes a good one'
  )
}
