import { spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { createClock } from '../../src/clock.ts'
import { openDirectoryStore } from '../../src/assets/directory.ts'
import { DiskError } from '../../src/assets/disk-error.ts'
import { testAssetStore } from './contract.ts'

let dir: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'darkroom-store-'))
})
afterEach(() => rm(dir, { recursive: true, force: true }))

testAssetStore('a directory', async () => {
  const own = await mkdtemp(join(tmpdir(), 'darkroom-store-'))
  return { store: await openDirectoryStore(own), close: () => rm(own, { recursive: true }) }
})

async function putBytes(
  store: Awaited<ReturnType<typeof openDirectoryStore>>,
  bytes: Buffer,
): Promise<string> {
  const file = store.newFile()
  await writeFile(file, bytes)
  return (await store.put(file)).sha256
}

function pathOf(sha256: string): string {
  return join(dir, 'objects', sha256.slice(0, 2), sha256.slice(2, 4), sha256)
}

it('stores content in folders named by the start of its hash', async () => {
  const store = await openDirectoryStore(join(dir, 'made', 'on', 'the', 'way'))
  const sha256 = await putBytes(store, Buffer.from('hello'))
  const path = join(dir, 'made/on/the/way/objects', sha256.slice(0, 2), sha256.slice(2, 4), sha256)
  expect(await readFile(path, 'utf8')).toBe('hello')
})

it('finds content of an earlier process', async () => {
  const sha256 = await putBytes(await openDirectoryStore(dir), Buffer.from('from yesterday'))
  const reopened = await openDirectoryStore(dir)
  expect((await reopened.read(sha256)).toString()).toBe('from yesterday')
})

it('reads recently stored content from memory', async () => {
  const store = await openDirectoryStore(dir)
  const sha256 = await putBytes(store, randomBytes(1000))
  await rm(pathOf(sha256))
  expect(await store.read(sha256)).toBe(await store.read(sha256))
})

it('does not cache files over 8 MB in memory', async () => {
  const store = await openDirectoryStore(dir)
  const sha256 = await putBytes(store, randomBytes(8 * 1024 * 1024 + 1))
  const [first, second] = [await store.read(sha256), await store.read(sha256)]
  expect(first.equals(second)).toBe(true)
  expect(Object.is(first, second)).toBe(false)
})

it('replaces a damaged file when its content is stored again', async () => {
  const bytes = randomBytes(9 * 1024 * 1024)
  const store = await openDirectoryStore(dir)
  const sha256 = await putBytes(store, bytes)
  await truncate(pathOf(sha256), 1000)
  await putBytes(store, bytes)
  expect((await store.read(sha256)).equals(bytes)).toBe(true)
})

it('keeps an equal file', async () => {
  const store = await openDirectoryStore(dir)
  const sha256 = await putBytes(store, randomBytes(1000))
  const before = await stat(pathOf(sha256))
  await putBytes(store, await store.read(sha256))
  expect((await stat(pathOf(sha256))).ino).toBe(before.ino)
  expect(await readdir(dirname(pathOf(sha256)))).toEqual([sha256])
})

it('computes the age of temporary files by its clock', async () => {
  let now = Date.now()
  const store = await openDirectoryStore(
    dir,
    createClock({ now: () => now, monotonic: () => now }, async () => undefined),
  )
  const file = store.newFile()
  await writeFile(file, 'x')
  await store.sweep(60_000)
  expect(existsSync(file)).toBe(true)
  now += 61_000
  await store.sweep(60_000)
  expect(existsSync(file)).toBe(false)
})

it('closes the file of a destroyed stream', async () => {
  const store = await openDirectoryStore(dir)
  const sha256 = await putBytes(store, randomBytes(9 * 1024 * 1024))
  const streams = await Promise.all(Array.from({ length: 20 }, () => store.open(sha256)))
  for (const stream of streams) stream.once('readable', () => stream.destroy())
  await Promise.all(streams.map((stream) => once(stream, 'close')))
  await expect.poll(() => openFilesIn(dir)).toEqual([])
})

it('reports a disk error with the folder and the cause', async () => {
  const file = join(dir, 'a-file')
  await writeFile(file, '')
  const failure: unknown = await openDirectoryStore(join(file, 'store')).catch((error: unknown) => error)
  expect(failure).toBeInstanceOf(DiskError)
  expect(failure).toMatchObject({ code: 'ENOTDIR', cause: { syscall: 'mkdir' } })
  expect(String(failure)).toContain(`The folder ${join(file, 'store')} is not a folder`)
})

it('describes a full and a read-only disk', () => {
  expect(new DiskError('/data', 'ENOSPC', null).message).toBe(
    'The folder /data is on a full disk: free some space or move it (ENOSPC).',
  )
  expect(new DiskError('/data', 'EROFS', null).message).toContain('read-only')
})

it('has only complete files under final names after a kill', async () => {
  const module = new URL('../../src/assets/directory.ts', import.meta.url).href
  const script = `
    import { openDirectoryStore } from ${JSON.stringify(module)}
    import { writeFile } from 'node:fs/promises'
    import { randomBytes } from 'node:crypto'
    const store = await openDirectoryStore(${JSON.stringify(dir)})
    const one = async () => {
      for (;;) {
        const file = store.newFile()
        await writeFile(file, randomBytes(3_000_000))
        console.log((await store.put(file)).sha256)
      }
    }
    await Promise.all([one(), one(), one()])`
  const stored: string[] = []
  for (const enough of [3, 8]) {
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const exited = once(child, 'exit')
    let seen = 0
    for await (const line of createInterface(child.stdout)) {
      stored.push(line)
      if (++seen === enough) child.kill('SIGKILL')
    }
    await exited
  }
  const names = readdirSync(join(dir, 'objects'), { recursive: true, encoding: 'utf8' }).filter(
    (name) => name.length > 64,
  )
  const wrong = names.filter((name) => hashOf(readFileSync(join(dir, 'objects', name))) !== name.slice(-64))
  expect(wrong).toEqual([])
  expect(stored.length).toBeGreaterThanOrEqual(11)
  expect(names.map((name) => name.slice(-64))).toEqual(expect.arrayContaining(stored))
})

function hashOf(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}

function openFilesIn(folder: string): string[] {
  const targets = readdirSync('/dev/fd').map((fd) => {
    try {
      return readlinkSync(join('/dev/fd', fd))
    } catch {
      return ''
    }
  })
  return targets.filter((target) => target.startsWith(folder))
}
