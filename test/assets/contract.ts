// The contract of all asset stores.
import { createHash, randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { rm, utimes, writeFile } from 'node:fs/promises'
import { buffer } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { AssetMissing, type AssetStore } from '../../src/assets/store.ts'

export interface OpenedStore {
  store: AssetStore
  close(): Promise<void>
}

const ABSENT = 'f'.repeat(64)

/** `open` opens an empty store. */
export function testAssetStore(name: string, open: () => Promise<OpenedStore>): void {
  describe(`${name} as an asset store`, () => {
    let opened: OpenedStore
    let store: AssetStore

    beforeEach(async () => {
      opened = await open()
      store = opened.store
    })
    afterEach(() => opened.close())

    async function put(bytes: Buffer): Promise<string> {
      const file = store.newFile()
      await writeFile(file, bytes)
      return (await store.put(file)).sha256
    }

    it('stores content by its hash and keeps the temporary file', async () => {
      const bytes = randomBytes(70_000)
      const file = store.newFile()
      await writeFile(file, bytes)
      const sha256 = createHash('sha256').update(bytes).digest('hex')
      expect(await store.put(file)).toEqual({ sha256, byteSize: 70_000 })
      expect(existsSync(file)).toBe(true)
      await rm(file)
      expect((await store.read(sha256)).equals(bytes)).toBe(true)
    })

    it('returns unique paths and creates nothing', () => {
      const files = Array.from({ length: 100 }, () => store.newFile())
      expect(new Set(files).size).toBe(100)
      expect(files.some((file) => existsSync(file))).toBe(false)
    })

    it.for([0, 1, 300_000, 9 * 1024 * 1024])('reads back %i bytes unchanged', async (size) => {
      const bytes = randomBytes(size)
      const sha256 = await put(bytes)
      expect((await store.read(sha256)).equals(bytes)).toBe(true)
      expect((await buffer(await store.open(sha256))).equals(bytes)).toBe(true)
      expect(Buffer.from(await (await store.blob(sha256, 'image/png')).arrayBuffer()).equals(bytes)).toBe(
        true,
      )
    })

    it('stores equal content once', async () => {
      const bytes = randomBytes(400_000)
      const files = Array.from({ length: 20 }, () => store.newFile())
      await Promise.all(files.map((file) => writeFile(file, bytes)))
      const stored = await Promise.all(files.map((file) => store.put(file)))
      expect(new Set(stored.map(({ sha256 }) => sha256)).size).toBe(1)
      expect((await store.read(stored[0]!.sha256)).equals(bytes)).toBe(true)
    })

    it('streams an inclusive range', async () => {
      const bytes = randomBytes(600_000)
      const sha256 = await put(bytes)
      for (const [start, end] of [
        [0, 0],
        [10, 19],
        [262_143, 262_145],
        [599_999, 599_999],
        [0, 599_999],
      ] as const) {
        const part = await buffer(await store.open(sha256, { start, end }))
        expect(part.equals(bytes.subarray(start, end + 1))).toBe(true)
      }
    })

    it('returns a blob with size and type', async () => {
      const blob = await store.blob(await put(randomBytes(1234)), 'image/webp')
      expect([blob.size, blob.type]).toEqual([1234, 'image/webp'])
    })

    it('returns blobs that stay readable while the content is stored and touched again', async () => {
      const bytes = randomBytes(70_000)
      const sha256 = await put(bytes)
      // The first call of a store on other machines copies the content.
      const blobs = await Promise.all([1, 2, 3].map(() => store.blob(sha256, 'image/png')))
      const [first] = blobs.map((blob) => blob.stream().getReader())
      const start = await first!.read()
      await put(bytes)
      await store.touch(sha256)
      blobs.push(await store.blob(sha256, 'image/png'))
      await store.touch(sha256)
      for (const blob of blobs) expect(Buffer.from(await blob.arrayBuffer()).equals(bytes)).toBe(true)
      expect(Buffer.from(start.value!).equals(bytes.subarray(0, start.value!.length))).toBe(true)
      await first!.cancel()
    })

    it.for([ABSENT, ABSENT.toUpperCase(), '', '../../../etc/passwd', `${ABSENT}/..`, `${ABSENT}\0`])(
      'says that %j is missing',
      async (sha256) => {
        await expect(store.read(sha256)).rejects.toThrow(AssetMissing)
        await expect(store.open(sha256)).rejects.toThrow(AssetMissing)
        await expect(store.blob(sha256, 'image/png')).rejects.toThrow(AssetMissing)
        await store.remove(sha256)
      },
    )

    it('removes content and stores it again', async () => {
      const bytes = randomBytes(5000)
      const sha256 = await put(bytes)
      await store.remove(sha256)
      await store.remove(sha256)
      await expect(store.read(sha256)).rejects.toThrow(AssetMissing)
      await put(bytes)
      expect((await store.read(sha256)).equals(bytes)).toBe(true)
    })

    it('never exposes a partial file', async () => {
      const bytes = randomBytes(24 * 1024 * 1024)
      const sha256 = createHash('sha256').update(bytes).digest('hex')
      const file = store.newFile()
      await writeFile(file, bytes)
      const putting = store.put(file)
      let seen: Buffer | undefined
      let looks = 0
      const state = { isOver: false }
      const end = () => void (state.isOver = true)
      putting.then(end, end)
      while (!seen && !state.isOver) {
        looks++
        seen = await store.read(sha256).catch(unlessMissing)
      }
      await putting
      expect(looks).toBeGreaterThan(1)
      expect((seen ?? (await store.read(sha256))).equals(bytes)).toBe(true)
    })

    it('sweeps only old temporary files', async () => {
      const sha256 = await put(randomBytes(100))
      const [old, young] = [store.newFile(), store.newFile()]
      await Promise.all([writeFile(old, 'left by a crash'), writeFile(young, 'being written')])
      const anHourAgo = Date.now() / 1000 - 3600
      await utimes(old, anHourAgo, anHourAgo)
      await store.sweep(60_000)
      expect([existsSync(old), existsSync(young)]).toEqual([false, true])
      expect(await store.read(sha256)).toHaveLength(100)
    })

    it('removes temporary files of input images, old ones or all, and no others', async () => {
      const other = store.newFile()
      const [old, young] = [store.newInput(), store.newInput()]
      for (const file of [other, old, young]) await writeFile(file, 'left by a crash')
      const anHourAgo = Date.now() / 1000 - 3600
      for (const file of [other, old]) await utimes(file, anHourAgo, anHourAgo)
      await store.removeInputs(60_000)
      expect([other, old, young].map((file) => existsSync(file))).toEqual([true, false, true])
      // A clock that was set back leaves files of the future.
      const tomorrow = Date.now() / 1000 + 86_400
      await utimes(young, tomorrow, tomorrow)
      await store.removeInputs()
      expect([other, young].map((file) => existsSync(file))).toEqual([true, false])
    })

    it('reports too little space for what is to be written', async () => {
      await store.checkFreeSpace(1000)
      await expect(store.checkFreeSpace(2 ** 50)).rejects.toMatchObject({ code: 'ENOSPC' })
    })
  })
}

function unlessMissing(error: unknown): undefined {
  if (!(error instanceof AssetMissing)) throw error
}
