import { randomBytes } from 'node:crypto'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { unlessMissing, withDiskErrors } from './disk-error.ts'
import { writeOnce } from './directory.ts'
import { syncFolder } from './sync.ts'

const FILE = 'folder-id'
const FOLDER_ID = /^fld_[0-9a-f]{24}$/

/**
 * From the file `folder-id`. A missing or damaged one is replaced: attempts under the earlier id then belong to a
 * folder that no process uses. Throws DiskError.
 */
export async function readFolderId(folder: string): Promise<string> {
  const file = join(folder, FILE)
  return withDiskErrors(folder, async () => {
    const stored = await readStored(file)
    if (stored !== undefined && FOLDER_ID.test(stored)) return stored
    if (stored !== undefined) await rm(file, { force: true })
    const created = `fld_${randomBytes(12).toString('hex')}`
    // Another process may have been faster.
    await writeOnce(file, created)
    await syncFolder(folder)
    return (await readStored(file)) ?? created
  })
}

async function readStored(file: string): Promise<string | undefined> {
  const text = await readFile(file, 'utf8').catch(unlessMissing)
  return text?.trim()
}
