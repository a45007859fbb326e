import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'

/** Why the server may not listen on `host`; undefined when it may. The one place that knows of open mode. */
export function hostProblem(host: string): string | undefined {
  if (isLoopback(host)) return undefined
  return (
    'it must be a loopback address (127.0.0.1, ::1 or localhost), because there are no API keys yet ' +
    'and whoever can connect can spend money'
  )
}

function isLoopback(host: string): boolean {
  if (host === 'localhost') return true
  return isIP(host) !== 0 && ipaddr.process(host).range() === 'loopback'
}
