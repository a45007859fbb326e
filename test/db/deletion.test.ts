// Input images of every kind, when their task or the task that made them is deleted.
import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DEFAULT_PROJECT } from '../../src/db/access/projects.ts'
import type { Database } from '../../src/db/connection/database.ts'
import { eraseTask } from '../../src/db/maintenance/deletion.ts'
import { openDatabase } from '../../src/db/open.ts'
import type { AssetRow } from '../../src/db/tables/tables.ts'
import { findAnyAsset, insertAssets, listAssets } from '../../src/db/tasks/assets.ts'
import { deleteImages } from '../../src/db/tasks/deleted-images.ts'
import { getTask } from '../../src/db/tasks/tasks.ts'
import type { ImageRequest } from '../../src/domain.ts'
import { newId } from '../../src/ids.ts'
import { createLog } from '../../src/log.ts'
import { DATABASES, newPlace, type Place } from '../support/database.ts'
import { newTask, plainRequest } from '../support/rows.ts'

const FILE = { sha256: 'a'.repeat(64), byteSize: 1, mimeType: 'image/png', width: 1, height: 1 } as const
const URL_WITH_SECRET = 'https://cdn.test/a.png?signature=secret'

describe.each(DATABASES)('deletion on %s', (kind) => {
  let place: Place
  let db: Database
  beforeAll(async () => {
    place = await newPlace(kind)
    db = await openDatabase({ ...place, onWakeUp: () => {}, log: createLog('silent') })
  })
  afterAll(async () => {
    await db.close()
    await place.remove()
  })

  async function newImage(): Promise<AssetRow> {
    const { id: taskId } = await newTask(db)
    const id = newId('img', Date.now())
    const row = { id, projectId: DEFAULT_PROJECT, taskId, kind: 'INPUT', position: 0, ...FILE } as const
    await db.tx((q) => insertAssets(q, [{ ...row, createdAt: Date.now() }]))
    return (await findAnyAsset(db.read, id))!
  }

  const edit = (inputs: Partial<ImageRequest>) =>
    newTask(db, { operation: 'EDIT', request: { ...plainRequest, operation: 'EDIT', ...inputs } })
  const inputsOf = (taskId: string) => {
    const { taskInputs } = db.read.tables
    return db.read.sql.select().from(taskInputs).where(eq(taskInputs.taskId, taskId))
  }

  it.each(['images', 'mask', 'markup'] as const)(
    'of an image leaves a copy to the task that has it as %s, and its own deletion removes the link',
    async (field) => {
      const image = await newImage()
      const input = { assetId: image.id }
      const { id } = await edit({ [field]: field === 'images' ? [input] : input })
      expect(await inputsOf(id)).toEqual([{ ...input, taskId: id }])
      await db.tx((q) => deleteImages(q, [image], Date.now()))
      const [copy] = await listAssets(db.read, [id])
      expect(copy).toMatchObject({ kind: field === 'images' ? 'INPUT' : field.toUpperCase(), ...FILE })
      const own = { assetId: copy!.id }
      const task = await getTask(db.read, id)
      expect(task.request[field]).toEqual(field === 'images' ? [own] : own)
      expect(await inputsOf(id)).toEqual([{ ...own, taskId: id }])

      await db.tx((q) => eraseTask(q, task, [], Date.now()))
      expect(await inputsOf(id)).toEqual([])
    },
  )

  it('of a task forgets addresses and texts of its request', async () => {
    const input = { url: URL_WITH_SECRET }
    const extra = { negative_prompt: 'secret' }
    const task = await edit({ images: [input], mask: input, markup: input, prompt: 'secret', extra })
    await db.tx((q) => eraseTask(q, task, [], Date.now()))
    expect(JSON.stringify(await getTask(db.read, task.id))).not.toContain('secret')
  })
})
