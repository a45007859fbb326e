// A Blob of openAsBlob fails to read once its file's modification time has changed. A touch sets the access
// time, and the modification time to its own whole second, the same for every touch.
import type { Stats } from 'node:fs'
import { stat, utimes } from 'node:fs/promises'
import { unlessMissing } from './disk-error.ts'

/** Touch a file before it is opened as a Blob. `now` in ms. False if missing. */
export async function touchFile(file: string, now: number): Promise<boolean> {
  const touched = stat(file).then(async ({ mtimeMs }) => {
    await utimes(file, now / 1000, Math.floor(mtimeMs / 1000))
    return true
  })
  return (await touched.catch(unlessMissing)) ?? false
}

/** Last written, touched or, by mount options, read. In ms. */
export function lastUsedAt({ atimeMs, mtimeMs }: Stats): number {
  return Math.max(atimeMs, mtimeMs)
}
