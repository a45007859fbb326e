import ipaddr from 'ipaddr.js'
import { LRUCache } from 'lru-cache'

/** More wrong secrets per minute from one network are an attack. */
const MAX_FAILURES_PER_MINUTE = 60
const MINUTE_MS = 60_000
const MAX_NETWORKS = 20_000

/** Limits how often a client may send wrong secrets. A null address is a request without a connection. */
interface BruteForceLimiter {
  /** Counts one wrong secret. */
  count(address: string | null): void
  /** Time until the address may send another wrong secret; 0 if it may now. */
  waitMs(address: string | null): number
}

export function createBruteForceLimiter(): BruteForceLimiter {
  // A window starts with the first failure; later failures do not extend it.
  const failures = new LRUCache<string, number>({ max: MAX_NETWORKS, ttl: MINUTE_MS, noUpdateTTL: true })
  return {
    count(address) {
      const network = networkOf(address)
      failures.set(network, (failures.get(network) ?? 0) + 1)
    },
    waitMs(address) {
      const network = networkOf(address)
      if ((failures.get(network) ?? 0) < MAX_FAILURES_PER_MINUTE) return 0
      return failures.getRemainingTTL(network)
    },
  }
}

/** The /64 of an IPv6 address, because one host usually owns all of it. */
function networkOf(address: string | null): string {
  if (address === null || !ipaddr.IPv6.isIPv6(address)) return address ?? ''
  return ipaddr.IPv6.parse(address).parts.slice(0, 4).join(':')
}
