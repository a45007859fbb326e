import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'

const NAME = /^(?!-)[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})*$/

/** What is wrong with an address to listen on; undefined when nothing is. Whether it needs keys is seen at the start. */
export function hostProblem(host: string): string | undefined {
  if (isIP(host) !== 0 || NAME.test(host)) return undefined
  return 'it must be an address of this machine, 127.0.0.1 or 0.0.0.0 for example, or a name that leads to one'
}

/** Whether `host` is this machine alone. */
export function isLoopback(host: string): boolean {
  if (host === 'localhost') return true
  return isIP(host) !== 0 && ipaddr.process(host).range() === 'loopback'
}
