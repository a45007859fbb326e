import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'
import { MAX_CACHED_FILE_BYTES } from './memory-cache.ts'
import type { PutOptions, StoredFile } from './store.ts'

const CHUNK_BYTES = 256 * 1024

interface Digest extends StoredFile {
  modifiedAt: number
  /** Of a small file. */
  bytes?: Buffer
}

/** Also syncs the file, unless it is synced. `content`: its bytes, if the caller has them. */
export async function digest(
  file: string,
  { isSynced = Promise.resolve(false), content }: PutOptions = {},
): Promise<Digest> {
  // Windows cannot sync a read-only handle.
  await using handle = await open(file, 'r+')
  const { size: byteSize, mtimeMs: modifiedAt } = await handle.stat()
  const hash = createHash('sha256')
  const sync = async () => {
    if (!(await isSynced)) await handle.sync()
  }
  if (byteSize <= MAX_CACHED_FILE_BYTES) {
    const read = content?.length === byteSize ? content : handle.readFile()
    const [bytes] = await Promise.all([read, sync()])
    return { sha256: hash.update(bytes).digest('hex'), byteSize: bytes.length, modifiedAt, bytes }
  }
  // Reused: the buffers of a stream fill memory faster than they are collected.
  const chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES)
  for (let size = -1; size !== 0;) {
    size = (await handle.read(chunk, 0, CHUNK_BYTES, null)).bytesRead
    hash.update(chunk.subarray(0, size))
  }
  await sync()
  return { sha256: hash.digest('hex'), byteSize, modifiedAt }
}
