import { createHash, hash } from 'node:crypto'
import { open } from 'node:fs/promises'
import { MAX_CACHED_FILE_BYTES } from './memory-cache.ts'
import type { FileContent, PutOptions, StoredFile } from './store.ts'

const CHUNK_BYTES = 256 * 1024

interface Digest extends StoredFile {
  modifiedAt: number
  /** Of a small file. */
  bytes?: Buffer
}

/** Also syncs the file, unless it is synced. `content`: if the caller has read the file. */
export async function digest(
  file: string,
  { isSynced = Promise.resolve(false), content }: PutOptions = {},
): Promise<Digest> {
  const known = content && digestOf(content)
  if (known && (await isSynced)) return known
  // Windows cannot sync a read-only handle.
  await using handle = await open(file, 'r+')
  const sync = async () => {
    if (!(await isSynced)) await handle.sync()
  }
  if (known) {
    await sync()
    return known
  }
  const { size: byteSize, mtimeMs: modifiedAt } = await handle.stat()
  if (byteSize <= MAX_CACHED_FILE_BYTES) {
    const [bytes] = await Promise.all([handle.readFile(), sync()])
    return digestOf({ bytes, modifiedAt })
  }
  const sum = createHash('sha256')
  // Reused: the buffers of a stream fill memory faster than they are collected.
  const chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES)
  for (let size = -1; size !== 0;) {
    size = (await handle.read(chunk, 0, CHUNK_BYTES, null)).bytesRead
    sum.update(chunk.subarray(0, size))
  }
  await sync()
  return { sha256: sum.digest('hex'), byteSize, modifiedAt }
}

function digestOf({ bytes, modifiedAt }: FileContent): Digest {
  return { sha256: hash('sha256', bytes), byteSize: bytes.length, modifiedAt, bytes }
}
