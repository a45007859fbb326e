// Content-addressed storage by SHA-256. A stored file never changes.
import type { Readable } from 'node:stream'

export interface AssetStore {
  readonly spool: string
  /** A unique path in `spool`. */
  newFile(): string
  /** Durable. The temporary file remains, for recovery after a crash. */
  put(file: string): Promise<StoredFile>
  /** Throws AssetMissing. */
  read(sha256: string): Promise<Buffer>
  /** `end` is inclusive. Throws AssetMissing. */
  open(sha256: string, range?: { start: number; end: number }): Promise<Readable>
  /** Throws AssetMissing. */
  blob(sha256: string, mimeType: string): Promise<Blob>
  remove(sha256: string): Promise<void>
  /** Deletes temporary files older than `ageMs`, except those with a name in `kept`. */
  sweep(ageMs: number, kept?: ReadonlySet<string>): Promise<void>
  /** Prevents collection before the content is referenced again. Throws AssetMissing. */
  touch(sha256: string): Promise<void>
  /** Deletes unreferenced content that was stored or touched more than `ageMs` ago. */
  collect(ageMs: number, collector: Collector): Promise<void>
  /** False if another database owns the store: with a wrong DATABASE_URL, all images would look unreferenced. */
  claimOwner(owner: string): Promise<boolean>
  /** Throws DiskError if the disk is nearly full. */
  checkFreeSpace(): Promise<void>
}

export interface Collector {
  findUsed(sha256s: string[]): Promise<ReadonlySet<string>>
  onRemoved(sha256: string): Promise<void>
  signal: AbortSignal
}

export interface StoredFile {
  sha256: string
  byteSize: number
}

export class AssetMissing extends Error {
  override name = 'AssetMissing'

  constructor(sha256: string) {
    super(`No stored asset has the content hash ${sha256}.`)
  }
}
