import { LRUCache } from 'lru-cache'

/** Larger files are streamed from disk. */
export const MAX_CACHED_FILE_BYTES = 8 * 1024 * 1024

export function createMemoryCache(maxBytes: number): LRUCache<string, Buffer> {
  return new LRUCache({
    maxSize: maxBytes,
    maxEntrySize: Math.min(MAX_CACHED_FILE_BYTES, maxBytes),
    sizeCalculation: (bytes) => Math.max(1, bytes.length),
  })
}
