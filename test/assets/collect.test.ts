import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { existsSync, readdirSync } from 'node:fs'
import { mkdtemp, rename, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { openDirectoryStore } from '../../src/assets/directory.ts'
import { AssetMissing, type AssetStore, type Collector } from '../../src/assets/store.ts'

const HOUR = 3_600_000
/** The minimum age of collected content in a test that waits for it. */
const SOON = 300

let dir: string
let store: AssetStore
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'darkroom-collect-'))
  store = await openDirectoryStore(dir)
})
afterEach(() => rm(dir, { recursive: true, force: true }))

async function put(bytes: Buffer, into = store): Promise<string> {
  const file = into.newFile()
  await writeFile(file, bytes)
  const { sha256 } = await into.put(file)
  await rm(file)
  return sha256
}

function pathOf(sha256: string): string {
  return join(dir, 'objects', sha256.slice(0, 2), sha256.slice(2, 4), sha256)
}

async function age(path: string): Promise<void> {
  const then = (Date.now() - 2 * HOUR) / 1000
  await utimes(path, then, then)
}

async function putOld(bytes: Buffer): Promise<string> {
  const sha256 = await put(bytes)
  await age(pathOf(sha256))
  return sha256
}

function by(findUsed: Collector['findUsed'], removed: string[] = []): Collector {
  const { signal } = new AbortController()
  return { findUsed, onRemoved: async (sha256) => void removed.push(sha256), signal }
}

const noneUsed = () => Promise.resolve(new Set<string>())

it('deletes only old unreferenced files', async () => {
  const [unused, used, young] = [
    await putOld(randomBytes(100)),
    await putOld(randomBytes(100)),
    await put(randomBytes(100)),
  ]
  const removed: string[] = []
  await store.collect(
    HOUR,
    by((hashes) => Promise.resolve(new Set(hashes.filter((one) => one === used))), removed),
  )
  expect(removed).toEqual([unused])
  await expect(store.read(unused)).rejects.toThrow(AssetMissing)
  expect(await store.read(used)).toHaveLength(100)
  expect(await store.read(young)).toHaveLength(100)
})

it('keeps content that is stored again between the check and the deletion', async () => {
  const bytes = randomBytes(100)
  const sha256 = await putOld(bytes)
  let looks = 0
  await store.collect(
    HOUR,
    by(async () => {
      if (++looks === 1) await put(bytes)
      return new Set()
    }),
  )
  expect(existsSync(pathOf(sha256))).toBe(true)
  expect(readdirSync(join(pathOf(sha256), '..'))).toEqual([sha256])
})

it('keeps content that is stored again while its file is renamed', async () => {
  const bytes = randomBytes(100)
  const sha256 = await putOld(bytes)
  const there: boolean[] = []
  await store.collect(
    HOUR,
    by(async () => {
      if (there.push(existsSync(pathOf(sha256))) === 2) await put(bytes)
      return new Set()
    }),
  )
  expect(there).toEqual([true, false])
  expect(existsSync(pathOf(sha256))).toBe(true)
  expect(readdirSync(join(pathOf(sha256), '..'))).toEqual([sha256])
})

it('keeps touched files, and files that are referenced by the second check', async () => {
  const [renewed, referred] = [await putOld(randomBytes(100)), await putOld(randomBytes(100))]
  await store.touch(renewed)
  let looks = 0
  await store.collect(
    HOUR,
    by(() => Promise.resolve(new Set(++looks === 2 ? [referred] : []))),
  )
  expect(looks).toBe(2)
  expect([existsSync(pathOf(renewed)), existsSync(pathOf(referred))]).toEqual([true, true])
  await expect(store.touch(createHash('sha256').digest('hex'))).rejects.toThrow(AssetMissing)
})

it('treats content of an old spool file as new', async () => {
  const file = store.newFile()
  await writeFile(file, 'received before a long outage')
  await age(file)
  const { sha256 } = await store.put(file)
  await store.collect(HOUR, by(noneUsed))
  expect(existsSync(pathOf(sha256))).toBe(true)
})

it('restores or deletes files that a crash left renamed', async () => {
  const [used, unused] = [await putOld(randomBytes(100)), await putOld(randomBytes(100))]
  for (const sha256 of [used, unused]) await rename(pathOf(sha256), `${pathOf(sha256)}.${randomUUID()}`)
  await store.collect(
    HOUR,
    by(() => Promise.resolve(new Set([used]))),
  )
  expect(readdirSync(join(pathOf(used), '..'))).toEqual([used])
  expect(readdirSync(join(pathOf(unused), '..'))).toEqual([])
})

it('keeps all referenced files while two processes collect and others store and release', async () => {
  const stores = [store, await openDirectoryStore(dir)]
  const contents = Array.from({ length: 60 }, () => randomBytes(200))
  const holders = new Map<string, number>()
  const over = new AbortController()
  const lost: string[] = []
  let removed = 0
  let held = 0
  const collecting = stores.map(async (one) => {
    while (!over.signal.aborted) {
      await one.collect(SOON, {
        findUsed: async (hashes) => new Set(hashes.filter((sha256) => (holders.get(sha256) ?? 0) > 0)),
        onRemoved: async () => void removed++,
        signal: over.signal,
      })
      await pause(1)
    }
  })
  const holding = Array.from({ length: 6 }, async (_, who) => {
    for (let round = 0; round < 50; round++) {
      const bytes = contents[(who * 10 + round * 7) % contents.length]!
      const at = Date.now()
      const sha256 = await put(bytes, stores[who % 2])
      // Content may be collected if more time passes between the two.
      if (Date.now() - at > SOON / 2) continue
      held++
      holders.set(sha256, (holders.get(sha256) ?? 0) + 1)
      await pause(who * 7 + 10)
      const there = () => existsSync(pathOf(sha256))
      // A renamed file is restored soon.
      if (!there()) await pause(SOON)
      if (!there()) lost.push(sha256)
      holders.set(sha256, holders.get(sha256)! - 1)
    }
  })
  await Promise.all(holding)
  over.abort()
  await Promise.all(collecting)
  expect(lost).toEqual([])
  expect([removed > 0, held > 0]).toEqual([true, true])
})

it('stops between two files on abort', async () => {
  await Promise.all(Array.from({ length: 20 }, () => putOld(randomBytes(50))))
  const over = new AbortController()
  const removed: string[] = []
  await store.collect(HOUR, {
    ...by(noneUsed),
    onRemoved: async (sha256) => (removed.push(sha256), over.abort()),
    signal: over.signal,
  })
  expect(removed).toHaveLength(1)
})

it('belongs to its first owner', async () => {
  const both = await Promise.all([store.claimOwner('one'), (await openDirectoryStore(dir)).claimOwner('one')])
  expect(both).toEqual([true, true])
  expect(await store.claimOwner('another')).toBe(false)
  expect(await store.claimOwner('one')).toBe(true)
  expect(readdirSync(dir).toSorted()).toEqual(['objects', 'owner', 'spool'])
})
