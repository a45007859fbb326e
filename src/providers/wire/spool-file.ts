import { open, type FileHandle } from 'node:fs/promises'
import { MalformedImage } from './malformed.ts'

export type SpoolFile = ReturnType<typeof createSpoolFile>

/** `path` must not exist; the first byte creates it. */
export function createSpoolFile(path: string, maxBytes: number) {
  const maxBatch = Math.min(BATCH, maxBytes)
  let batch = Buffer.allocUnsafeSlow(Math.min(FIRST_BATCH, maxBatch))
  let handle: FileHandle | undefined
  let held = 0
  let byteSize = 0

  async function flush(): Promise<void> {
    handle ??= await open(path, 'wx')
    // A write may take less than it was given.
    for (let at = 0; at < held;) at += (await handle.write(batch, at, held - at)).bytesWritten
    held = 0
  }

  async function close(): Promise<void> {
    const opened = handle
    handle = undefined
    await opened?.close()
  }

  return {
    path,
    get byteSize(): number {
      return byteSize
    },
    /** Throws MalformedImage beyond `maxBytes`. */
    async write(bytes: Buffer): Promise<void> {
      byteSize += bytes.length
      if (byteSize > maxBytes) throw new MalformedImage(`has an image of more than ${maxBytes} bytes`)
      for (let at = 0; at < bytes.length;) {
        const copied = bytes.copy(batch, held, at)
        at += copied
        held += copied
        if (held < batch.length) continue
        if (batch.length < maxBatch) batch = Buffer.concat([batch], maxBatch)
        else await flush()
      }
    },
    async end(): Promise<void> {
      await flush()
      await close()
    },
    /** Closes without the rest. Idempotent. */
    abandon: close,
  }
}

/** Each write costs a wake-up of another thread. */
const BATCH = 256 * 1024
/** Most calls of a busy process wait: their buffers would be memory for nothing. */
const FIRST_BATCH = 16 * 1024
