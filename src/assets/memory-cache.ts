import { LRUCache } from 'lru-cache'

/** In bytes. Larger files are streamed from where they lie and never kept in memory. */
export const HOT_FILE_BYTES = 8 * 1024 * 1024

/** Recently used content in memory, at most `maxBytes` of it; what is over HOT_FILE_BYTES is not kept. */
export function createHotCache(maxBytes: number): LRUCache<string, Buffer> {
  return new LRUCache({
    maxSize: maxBytes,
    maxEntrySize: Math.min(HOT_FILE_BYTES, maxBytes),
    // A size must be positive, and an empty file has none.
    sizeCalculation: (bytes) => Math.max(1, bytes.length),
  })
}
