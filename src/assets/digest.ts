import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'
import { MAX_CACHED_FILE_BYTES } from './memory-cache.ts'
import type { StoredFile } from './store.ts'

const CHUNK_BYTES = 256 * 1024

interface Digest extends StoredFile {
  modifiedAt: number
  /** Of a small file. */
  bytes?: Buffer
}

/** Also syncs the file, unless it is synced. */
export async function digest(file: string, isSynced = Promise.resolve(false)): Promise<Digest> {
  // Windows cannot sync a read-only handle.
  await using handle = await open(file, 'r+')
  const { size: byteSize, mtimeMs: modifiedAt } = await handle.stat()
  const hash = createHash('sha256')
  const sync = async () => {
    if (!(await isSynced)) await handle.sync()
  }
  if (byteSize <= MAX_CACHED_FILE_BYTES) {
    const [bytes] = await Promise.all([handle.readFile(), sync()])
    return { sha256: hash.update(bytes).digest('hex'), byteSize: bytes.length, modifiedAt, bytes }
  }
  const chunks = handle.createReadStream({ autoClose: false, highWaterMark: CHUNK_BYTES })
  for await (const chunk of chunks) hash.update(chunk)
  await sync()
  return { sha256: hash.digest('hex'), byteSize, modifiedAt }
}
