import { hostname } from 'node:os'
import { insertAudit } from '../../db/access/audit.ts'
import { DEFAULT_PROJECT } from '../../db/access/projects.ts'
import { releaseSuccessors } from '../../db/attempts/unknown.ts'
import { recordDataFolder, setDataFolderLost } from '../../db/maintenance/data-folders.ts'
import type { DataFolderRow } from '../../db/tables/tables.ts'
import { notFound } from '../../errors.ts'
import { newId } from '../../ids.ts'
import type { Deps } from '../deps.ts'

/** Records that this process uses its folder, and at the start that it is not lost. */
export async function recordOwnDataFolder(
  { db, dataFolderId: id }: Pick<Deps, 'db' | 'dataFolderId'>,
  when: { isStart: boolean },
): Promise<void> {
  await db.tx((q) => recordDataFolder(q, { id, host: hostname() }, when))
}

/** Attempts that wait for its answers and may be sent again are due at once. Audited. Idempotent. Throws NOT_FOUND. */
export async function markDataFolderLost(
  { db, clock, log }: Pick<Deps, 'db' | 'clock' | 'log'>,
  id: string,
): Promise<DataFolderRow> {
  const at = clock.now()
  const { folder, released } = await db.tx(async (q) => {
    const marked = await setDataFolderLost(q, id)
    if (!marked) throw notFound('data folder', id, 'id')
    const audit = { id: newId('aud', at), projectId: DEFAULT_PROJECT, at, subject: id }
    await insertAudit(q, { ...audit, action: 'markDataFolderLost', detail: { host: marked.host } })
    return { folder: marked, released: await releaseSuccessors(q, { heldIn: id }) }
  })
  log.warn({ dataFolder: id, host: folder.host, released }, 'data folder declared lost')
  return folder
}
