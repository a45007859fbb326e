// Deletes unreferenced files. Processes touch a file before they reference it, and recent files stay. A file may be
// touched after the check: it is renamed, checked again, then deleted or restored. A process that misses a renamed
// file stores the content again. After a crash, a later run handles renamed files.
import { randomUUID } from 'node:crypto'
import { link, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { systemErrorCode, unlessMissing } from './disk-error.ts'
import type { Collector } from './store.ts'
import { lastUsedAt } from './touch.ts'

const BATCH_SIZE = 200
const NAME = /^([0-9a-f]{64})(\.[0-9a-f-]{36})?$/

interface Candidate {
  path: string
  target: string
  sha256: string
}

/** Of `objects` (ab/cd/<sha256>), those written and touched before `before`. */
export async function collectUnused(objects: string, before: number, collector: Collector): Promise<void> {
  let batch: Candidate[] = []
  const { only } = collector
  for await (const candidate of only ? candidatesOf(objects, only) : listCandidates(objects)) {
    if (collector.signal.aborted) return
    if (batch.push(candidate) < BATCH_SIZE) continue
    await examine(batch, before, collector)
    batch = []
  }
  await examine(batch, before, collector)
}

function candidatesOf(objects: string, sha256s: readonly string[]): Candidate[] {
  return sha256s.map((sha256) => {
    const path = join(objects, sha256.slice(0, 2), sha256.slice(2, 4), sha256)
    return { path, target: path, sha256 }
  })
}

async function* listCandidates(objects: string): AsyncGenerator<Candidate> {
  for (const first of await readdir(objects)) {
    for (const second of await readdir(join(objects, first))) {
      const folder = join(objects, first, second)
      for (const name of await readdir(folder)) {
        const sha256 = NAME.exec(name)?.[1]
        if (sha256 !== undefined) yield { path: join(folder, name), target: join(folder, sha256), sha256 }
      }
    }
  }
}

async function examine(batch: Candidate[], before: number, collector: Collector): Promise<void> {
  if (batch.length === 0) return
  const used = await collector.findUsed([...new Set(batch.map(({ sha256 }) => sha256))])
  for (const candidate of batch) {
    if (collector.signal.aborted) return
    const isRenamed = candidate.path !== candidate.target
    if (!isRenamed && used.has(candidate.sha256)) continue
    if ((await usedAt(candidate.path)) > before) continue
    const path = isRenamed ? candidate.path : await setAside(candidate.path)
    if (path !== undefined) await restoreOrDelete({ ...candidate, path }, before, collector)
  }
}

async function setAside(path: string): Promise<string | undefined> {
  const aside = `${path}.${randomUUID()}`
  return rename(path, aside).then(() => aside, unlessMissing)
}

async function restoreOrDelete(candidate: Candidate, before: number, collector: Collector): Promise<void> {
  const { path, target, sha256 } = candidate
  const isNeeded = (await usedAt(path)) > before || (await collector.findUsed([sha256])).has(sha256)
  if (isNeeded) await restore(path, target)
  await rm(path, { force: true })
  if (!isNeeded) await collector.onRemoved(sha256)
}

async function restore(path: string, target: string): Promise<void> {
  try {
    await link(path, target)
  } catch (error) {
    // Stored or restored meanwhile.
    if (!['EEXIST', 'ENOENT'].includes(systemErrorCode(error) ?? '')) throw error
  }
}

/** Infinity if missing. */
async function usedAt(path: string): Promise<number> {
  const stats = await stat(path).catch(unlessMissing)
  return stats ? lastUsedAt(stats) : Infinity
}
