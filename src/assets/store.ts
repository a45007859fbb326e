// Where image bytes live. A store knows nothing of tasks: keys are the SHA-256 of the content, so a path can never be
// chosen by anyone outside, two equal pictures are one file, and a stored file never changes.
import type { Readable } from 'node:stream'

export interface AssetStore {
  /** A path for a new temporary file on the same disk as the store, unique. Nothing is created yet. */
  newFile(): string
  /** Moves a temporary file into the store, durably: fsync, rename, fsync of the folder. The path is gone afterwards. */
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
