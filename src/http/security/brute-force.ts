import ipaddr from 'ipaddr.js'
import { LRUCache } from 'lru-cache'

const MAX_FAILURES_PER_MINUTE = 60
const MINUTE_MS = 60_000
const MAX_NETWORKS = 20_000

/** By network. */
export function createBruteForceLimiter() {
  // Later failures do not extend the window.
  const failures = new LRUCache<string, number>({ max: MAX_NETWORKS, ttl: MINUTE_MS, noUpdateTTL: true })
  return {
    count(address: string | null): void {
      const network = networkOf(address)
      failures.set(network, (failures.get(network) ?? 0) + 1)
    },
    waitMs(address: string | null): number {
      const network = networkOf(address)
      if ((failures.get(network) ?? 0) < MAX_FAILURES_PER_MINUTE) return 0
      return failures.getRemainingTTL(network)
    },
  }
}

/** One host usually owns a /64 of IPv6 addresses. */
function networkOf(address: string | null): string {
  if (address === null || !ipaddr.IPv6.isIPv6(address)) return address ?? ''
  return ipaddr.IPv6.parse(address).parts.slice(0, 4).join(':')
}
