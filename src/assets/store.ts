// Content-addressed storage. Keys are SHA-256 hashes: clients cannot choose paths, equal images share a file, and a stored
// file never changes.
import type { Readable } from 'node:stream'

export interface AssetStore {
  /** Folder of the temporary files. `sweep` deletes old files here. */
  readonly spool: string
  /** A unique path in `spool`; creates nothing. */
  newFile(): string
  /** Stores a temporary file durably. The caller deletes the temporary file; until then a crash can be recovered from it. */
  put(file: string): Promise<StoredFile>
  /** The entire content. Throws AssetMissing. */
  read(sha256: string): Promise<Buffer>
  /** Streams the bytes `start` to `end`, inclusive; everything by default. Throws AssetMissing. */
  open(sha256: string, range?: { start: number; end: number }): Promise<Readable>
  /** A Blob that reads from disk when it is consumed. Throws AssetMissing. */
  blob(sha256: string, mimeType: string): Promise<Blob>
  /** Does nothing if the content is missing. */
  remove(sha256: string): Promise<void>
  /** Deletes temporary files older than `ageMs`, which a crash left. */
  sweep(ageMs: number): Promise<void>
  /** Protects content from collection before it is referenced again. Throws AssetMissing. */
  touch(sha256: string): Promise<void>
  /** Deletes unreferenced content that was stored or touched more than `ageMs` ago. */
  collect(ageMs: number, collector: Collector): Promise<void>
  /**
   * Marks the store as owned by a database, permanently, and returns whether `owner` is the owner. Protects all images from
   * collection with a wrong DATABASE_URL.
   */
  claimOwner(owner: string): Promise<boolean>
  /** Throws DiskError if the store may be unable to save an image. Writes a test file. */
  checkFreeSpace(): Promise<void>
}

export interface Collector {
  /** Returns the referenced hashes among `sha256s`. */
  findUsed(sha256s: string[]): Promise<ReadonlySet<string>>
  onRemoved(sha256: string): Promise<void>
  /** Stops the collection between two files. */
  signal: AbortSignal
}

export interface StoredFile {
  /** Lower-case hex. */
  sha256: string
  byteSize: number
}

export class AssetMissing extends Error {
  override name = 'AssetMissing'

  constructor(sha256: string) {
    super(`No stored asset has the content hash ${sha256}.`)
  }
}
