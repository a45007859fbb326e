// Removing what nobody refers to. The danger is a file that is unused at the moment of looking and referred to a moment
// later, by a transaction that had not committed. Three things keep it safe, with any number of processes on one folder:
//
//   1. Whoever is about to refer to content makes its file young first (put and renew), and commits within minutes.
//      Only files older than an hour are looked at, so between that and the commit nobody does.
//   2. A file that was old when it was looked at may be made young before it is removed. So it is first put aside under
//      another name, in one step, and looked at again: if it is young by now, or referred to, it gets its name back.
//   3. Whoever makes it young after it was put aside finds that it is gone, and stores the content anew.
//
// A crash in between leaves a file under its other name. The next walk that finds it old decides in the same way.
import { randomUUID } from 'node:crypto'
import { link, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { systemCode } from './disk-error.ts'
import type { Collector } from './store.ts'

/** How many files are asked about at once. */
const BATCH = 200
const NAME = /^([0-9a-f]{64})(\.[0-9a-f-]{36})?$/

interface Found {
  path: string
  /** The path that the content belongs at: the same, unless it was left under another name. */
  target: string
  sha256: string
}

/** Walks through `objects`, laid out as ab/cd/<sha256>, and removes the unused files last touched before `before`. */
export async function collectUnused(objects: string, before: number, by: Collector): Promise<void> {
  let batch: Found[] = []
  for await (const found of walk(objects)) {
    if (by.signal.aborted) return
    if (batch.push(found) < BATCH) continue
    await examine(batch, before, by)
    batch = []
  }
  await examine(batch, before, by)
}

async function* walk(objects: string): AsyncGenerator<Found> {
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

async function examine(batch: Found[], before: number, by: Collector): Promise<void> {
  if (batch.length === 0) return
  const used = await by.findUsed([...new Set(batch.map(({ sha256 }) => sha256))])
  for (const found of batch) {
    if (by.signal.aborted) return
    const isWhole = found.path === found.target
    if (isWhole && used.has(found.sha256)) continue
    if ((await touchedAt(found.path)) > before) continue
    const aside = isWhole ? await putAside(found.path) : found.path
    if (aside !== undefined) await decide(aside, found, before, by)
  }
}

/** Undefined when another process was faster. */
async function putAside(path: string): Promise<string | undefined> {
  const aside = `${path}.${randomUUID()}`
  try {
    await rename(path, aside)
    return aside
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}

async function decide(
  aside: string,
  { target, sha256 }: Found,
  before: number,
  by: Collector,
): Promise<void> {
  const isWanted = (await touchedAt(aside)) > before || (await by.findUsed([sha256])).has(sha256)
  if (isWanted) await giveBack(aside, target)
  await rm(aside, { force: true })
  if (!isWanted) await by.onRemoved(sha256)
}

async function giveBack(aside: string, target: string): Promise<void> {
  try {
    await link(aside, target)
  } catch (error) {
    // Stored anew meanwhile; or the other process that found this one gave it back, and took the other name away.
    if (!['EEXIST', 'ENOENT'].includes(systemCode(error) ?? '')) throw error
  }
}

/** When it was put or renewed; infinitely late when it is gone. */
async function touchedAt(path: string): Promise<number> {
  try {
    return (await stat(path)).mtimeMs
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return Infinity
    throw error
  }
}
