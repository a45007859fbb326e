import { open, type FileHandle } from 'node:fs/promises'
import { MalformedImage } from './malformed.ts'

/** A file that is created with its first byte. */
export interface SpoolFile {
  readonly path: string
  readonly byteSize: number
  /** Throws MalformedImage beyond `maxBytes`. */
  write(bytes: Buffer): Promise<void>
  end(): Promise<void>
  /** Closes without writing the rest. Idempotent. */
  abandon(): Promise<void>
}

/** `path` must not exist. */
export function createSpoolFile(path: string, maxBytes: number): SpoolFile {
  const batch = Buffer.allocUnsafeSlow(Math.min(BATCH, maxBytes))
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
    get byteSize() {
      return byteSize
    },
    async write(bytes) {
      byteSize += bytes.length
      if (byteSize > maxBytes) throw new MalformedImage(`has an image of more than ${maxBytes} bytes`)
      for (let at = 0; at < bytes.length;) {
        const copied = bytes.copy(batch, held, at)
        at += copied
        held += copied
        if (held === batch.length) await flush()
      }
    },
    async end() {
      await flush()
      await close()
    },
    abandon: close,
  }
}

// Larger batches measured no faster, and take memory for each image.
const BATCH = 64 * 1024
