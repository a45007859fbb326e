// Temporary files on this machine: answers while they arrive, and inputs. Records name answer files until
// they are settled.
import { randomUUID } from 'node:crypto'
import { mkdir, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../clock.ts'
import { checkFreeSpace, withDiskErrors } from './disk-error.ts'
import type { AssetStore } from './store.ts'
import { lastUsedAt } from './touch.ts'

const INPUT_PREFIX = 'input-'

export type Spool = Pick<
  AssetStore,
  'spool' | 'newFile' | 'newInput' | 'sweep' | 'removeInputs' | 'checkFreeSpace'
>

/** In `dir`, which is made. All methods throw DiskError. */
export async function openSpool(dir: string, clock: Clock): Promise<Spool> {
  const onDisk = <T>(work: () => Promise<T>) => withDiskErrors(dir, work)
  await onDisk(() => mkdir(dir, { recursive: true }))
  return {
    spool: dir,
    newFile: () => join(dir, randomUUID()),
    newInput: () => join(dir, `${INPUT_PREFIX}${randomUUID()}`),

    sweep: (ageMs, kept = new Set()) =>
      onDisk(() => removeOlder(dir, clock.now() - ageMs, (name) => !kept.has(name))),

    // File times say nothing after a clock was set.
    removeInputs: (minAgeMs) =>
      onDisk(() =>
        removeOlder(dir, minAgeMs === undefined ? Infinity : clock.now() - minAgeMs, (name) =>
          name.startsWith(INPUT_PREFIX),
        ),
      ),

    checkFreeSpace: (neededBytes) => onDisk(() => checkFreeSpace(dir, neededBytes)),
  }
}

async function removeOlder(
  folder: string,
  usedBefore: number,
  isRemovable: (name: string) => boolean,
): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!isRemovable(name)) continue
    const file = join(folder, name)
    const stats = await stat(file).catch(() => undefined)
    if (stats && lastUsedAt(stats) <= usedBefore) await rm(file, { force: true, recursive: true })
  }
}
