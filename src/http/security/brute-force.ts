// How often somebody knocks with secrets that nobody gave out.
import ipaddr from 'ipaddr.js'
import { LRUCache } from 'lru-cache'

/** More wrong secrets from one place in a minute are no mistake. */
const MOST_A_MINUTE = 60
const MINUTE_MS = 60_000
/** How many places are remembered; the ones heard from longest ago are forgotten first. */
const MOST_PLACES = 20_000

interface Forgeries {
  /** Counts one from this address; null for a request that came over no connection. */
  count(address: string | null): void
  /** In how many milliseconds its next one is looked at again; 0 for at once. */
  waitMs(address: string | null): number
}

export function createForgeries(): Forgeries {
  // A minute begins with the first one after the last minute, and the next ones do not make it longer.
  const counts = new LRUCache<string, number>({ max: MOST_PLACES, ttl: MINUTE_MS, noUpdateTTL: true })
  return {
    count(address) {
      const place = placeOf(address)
      counts.set(place, (counts.get(place) ?? 0) + 1)
    },
    waitMs(address) {
      const place = placeOf(address)
      return (counts.get(place) ?? 0) < MOST_A_MINUTE ? 0 : counts.getRemainingTTL(place)
    },
  }
}

/** Whoever has one IPv6 address has the 2⁶⁴ beside it as well. */
function placeOf(address: string | null): string {
  if (address === null || !ipaddr.IPv6.isIPv6(address)) return address ?? ''
  return ipaddr.IPv6.parse(address).parts.slice(0, 4).join(':')
}
