// Where image bytes live. A store knows nothing of tasks: keys are the SHA-256 of the content, so a path can never be
// chosen by anyone outside, two equal pictures are one file, and a stored file never changes.
import type { Readable } from 'node:stream'

export interface AssetStore {
  /** The folder of the temporary files. What else is kept there goes with them when it is old. */
  readonly spool: string
  /** A path for a new temporary file on the same disk as the store, unique. Nothing is created yet. */
  newFile(): string
  /**
   * Takes a temporary file's content into the store, durably: fsync, a name by its hash, fsync of the folder. The
   * temporary name stays its owner's to remove: until then, whoever crashes can begin anew from it.
   */
  put(file: string): Promise<StoredFile>
  /** The whole content. Throws AssetMissing when there is none. */
  read(sha256: string): Promise<Buffer>
  /** A stream of the bytes from `start` to `end` inclusive; all of them without a range. Throws AssetMissing. */
  open(sha256: string, range?: { start: number; end: number }): Promise<Readable>
  /** The content as a Blob that is read from disk when consumed. Throws AssetMissing. */
  blob(sha256: string, mimeType: string): Promise<Blob>
  /** Removes the content; nothing happens when it is not there. */
  remove(sha256: string): Promise<void>
  /** Removes temporary files older than `ageMs`: what a crash left behind. */
  sweep(ageMs: number): Promise<void>
  /** Counts content as put at this moment, for one who is about to refer to it anew. Throws AssetMissing. */
  renew(sha256: string): Promise<void>
  /** Removes content that nobody refers to and that was put, or renewed, longer than `ageMs` ago. */
  collect(ageMs: number, by: Collector): Promise<void>
  /**
   * Whether the content belongs to the rows of this `owner`. It belongs to the first who asked, for good: an operator
   * who named another database by mistake must not lose every image as unused.
   */
  belongsTo(owner: string): Promise<boolean>
  /** Throws DiskError when a picture that came in now might find no room. Writes a little to find out. */
  checkRoom(): Promise<void>
}

/** Who knows what is in use, and wants to know what is not. */
export interface Collector {
  /** Those of some hashes that are referred to. */
  findUsed(sha256s: string[]): Promise<ReadonlySet<string>>
  /** Told of each one that was removed. */
  onRemoved(sha256: string): Promise<void>
  /** Stops between two files once it aborts. */
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
