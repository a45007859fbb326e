import fs from 'node:fs'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished, vi } from 'vitest'
import { syncFolder } from '../../src/assets/sync.ts'

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'darkroom-sync-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

it('syncs a folder once for all calls that arrive during a sync, and not with the one in progress', async () => {
  const folder = await newFolder()
  const sync = vi.spyOn(fs, 'fsync')
  syncBuiltinESMExports()
  onTestFinished(() => {
    sync.mockRestore()
    syncBuiltinESMExports()
  })
  await Promise.all(Array.from({ length: 50 }, () => syncFolder(folder)))
  expect(sync).toHaveBeenCalledTimes(2)
  await syncFolder(folder)
  expect(sync).toHaveBeenCalledTimes(3)
})

it('rejects every call for a missing folder, and syncs it once it exists', async () => {
  const folder = join(await newFolder(), 'later')
  const failed = await Promise.allSettled(Array.from({ length: 5 }, () => syncFolder(folder)))
  expect(failed.map(({ status }) => status)).toEqual(Array.from({ length: 5 }, () => 'rejected'))
  await mkdir(folder)
  await syncFolder(folder)
})
