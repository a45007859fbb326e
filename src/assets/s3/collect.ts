// Deletes unreferenced content. A process writes a touch marker, looks for the content, then refers to it. A
// collection copies the content aside, deletes it, then looks for markers and references: if there is one, it
// restores the content. So the process stores missing content again, or the collection finds its marker. A later
// collection handles the copies left by a crash.
import type { Collector } from '../store.ts'
import type { Bucket, ObjectEntry } from './bucket.ts'
import { ASIDE, asideKey, hashOf, objectKey, OBJECTS, TOUCHED, touchKey } from './keys.ts'

const BATCH_SIZE = 200

/** Of content stored and touched before `before`, by the clock of the store. */
export async function collectUnused(bucket: Bucket, before: number, collector: Collector): Promise<void> {
  for await (const batch of batches(bucket.list(ASIDE), collector.signal))
    for (const { key } of batch) await restoreOrForget(bucket, hashOf(key), before, collector)

  for await (const batch of batches(bucket.list(OBJECTS), collector.signal)) {
    const old = batch.flatMap(({ key, modifiedAt }) => (modifiedAt <= before ? [hashOf(key)] : []))
    const hashes = old.filter((sha256) => sha256 !== undefined)
    const used = hashes.length === 0 ? new Set() : await collector.findUsed(hashes)
    for (const sha256 of hashes) {
      if (collector.signal.aborted) return
      if (used.has(sha256) || (await isTouched(bucket, sha256, before))) continue
      if (!(await bucket.copy(objectKey(sha256), asideKey(sha256)))) continue
      await bucket.remove(objectKey(sha256))
      await restoreOrForget(bucket, sha256, before, collector)
    }
  }

  for await (const batch of batches(bucket.list(TOUCHED), collector.signal))
    for (const { key, modifiedAt } of batch) if (modifiedAt <= before) await bucket.remove(key)
}

async function* batches(
  entries: AsyncIterable<ObjectEntry>,
  signal: AbortSignal,
): AsyncGenerator<ObjectEntry[]> {
  let batch: ObjectEntry[] = []
  for await (const entry of entries) {
    if (signal.aborted) return
    if (batch.push(entry) < BATCH_SIZE) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}

async function isTouched(bucket: Bucket, sha256: string, before: number): Promise<boolean> {
  const marker = await bucket.head(touchKey(sha256))
  return marker !== undefined && marker.modifiedAt > before
}

async function restoreOrForget(
  bucket: Bucket,
  sha256: string | undefined,
  before: number,
  collector: Collector,
): Promise<void> {
  if (sha256 === undefined) return
  const isNeeded =
    (await isTouched(bucket, sha256, before)) || (await collector.findUsed([sha256])).has(sha256)
  if (isNeeded) await bucket.copy(asideKey(sha256), objectKey(sha256))
  await bucket.remove(asideKey(sha256))
  if (!isNeeded) await collector.onRemoved(sha256)
}
