// By SHA-256, immutable. Unknown hashes throw AssetMissing.
import type { Readable } from 'node:stream'
import type { RenditionCache } from './disk-cache.ts'

export interface AssetStore {
  readonly spool: string
  newFile(): string
  /** A temporary file for an input image. No record refers to it. */
  newInput(): string
  /** Durable. The file stays, for crash recovery. */
  put(file: string, options?: PutOptions): Promise<StoredFile>
  read(sha256: string): Promise<Buffer>
  /** `end` is inclusive. */
  open(sha256: string, range?: { start: number; end: number }): Promise<Readable>
  blob(sha256: string, mimeType: string): Promise<Blob>
  remove(sha256: string): Promise<void>
  /** Deletes temporary files older than `ageMs`, except those named in `kept`. */
  sweep(ageMs: number, kept?: ReadonlySet<string>): Promise<void>
  /** Deletes files of `newInput`, by default all: only while no other process uses the store. */
  removeInputs(minAgeMs?: number): Promise<void>
  /** Prevents collection before a new reference. */
  touch(sha256: string): Promise<void>
  /** Deletes unreferenced content, stored or touched more than `ageMs` ago. */
  collect(ageMs: number, collector: Collector): Promise<void>
  /** False if another database owns the store: its images would look unreferenced. */
  claimOwner(owner: string): Promise<boolean>
  /** Throws StorageError unless `neededBytes` more can be written. The minimum that results need stays free. */
  checkFreeSpace(neededBytes?: number): Promise<void>
  /** Renditions are read from and written to both: this machine, and the store if other machines share it. */
  withRenditions(local: RenditionCache): RenditionCache
  /** A URL of the store itself, for browsers. Absent if the store has none. */
  presign?(sha256: string, options: PresignOptions): Promise<string>
  close(): Promise<void>
}

export interface PutOptions {
  /** Whether the caller has synced the file; by default it has not. */
  isSynced?: Promise<boolean> | undefined
  /** As read from the file; its bytes are kept in memory. */
  content?: FileContent | undefined
}

export interface FileContent {
  bytes: Buffer
  modifiedAt: number
}

export interface PresignOptions {
  expiresInSeconds: number
  mimeType: string
  /** Of `Content-Disposition`. */
  disposition: string
}

export interface Collector {
  /** All content by default. */
  only?: readonly string[] | undefined
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
