import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { eq } from 'drizzle-orm'
import { describe, expect, it } from 'vitest'
import { insertCallback, listCallbacks } from '../../src/db/attempts/callbacks.ts'
import { DEFAULT_PROJECT } from '../../src/db/access/projects.ts'
import { findAnyAttempt } from '../../src/db/attempts/attempts.ts'
import { ASSET_KINDS } from '../../src/domain.ts'
import { listDeliveriesOfTasks } from '../../src/db/webhooks/deliveries.ts'
import { settle } from '../../src/engine/attempts/settle.ts'
import { writeReceivedAnswer } from '../../src/engine/attempts/received-answer.ts'
import { loadInputs } from '../../src/engine/images/load-inputs.ts'
import { UNKNOWN_USAGE } from '../../src/providers/provider.ts'
import { DATABASES } from '../support/database.ts'
import { openEngine, type TestEngine } from '../support/engine.ts'
import { status } from '../support/link-server.ts'
import { ANY_ADDRESS, openReceiver } from '../support/receiver.ts'
import { done, failure, REPORTED, scripted } from '../support/scripted.ts'
import { addressesOf, fetching, finalsOf, linking, operator, quick, startLinks } from './linking.ts'

/** Loses requests with `lost` in the prompt. */
const painter = () =>
  scripted(async (sent) => {
    if (sent.order.prompt.includes('lost')) throw failure('lost')
    return done(sent, REPORTED)
  })

async function canceledUnknown(one: TestEngine): Promise<string> {
  const { id } = await one.create({ prompt: 'lost foxes' })
  await one.reached(id, 'OUTCOME_UNKNOWN')
  await one.engine.cancelTask(DEFAULT_PROJECT, id)
  return id
}

const EVIDENCE = { wirePhase: 'BODY_DONE', httpStatus: 200, providerRequestId: 'req-2' } as const

describe.each(DATABASES)('the deletion of a task on %s', (database) => {
  it('lets a late result change the money only, and drops its images', async () => {
    await using one = await openEngine({ database, providers: [painter()] })
    const id = await canceledUnknown(one)
    await one.engine.deleteTask(operator, id)
    const [attempt] = await one.attempts(id)
    expect(attempt).toMatchObject({ state: 'UNKNOWN', error: { message: 'Deleted with its task.' } })
    const image = {
      id: 'img_late',
      projectId: DEFAULT_PROJECT,
      taskId: id,
      attemptId: attempt!.id,
      kind: 'FINAL' as const,
      position: 0,
      sha256: 'a'.repeat(64),
      byteSize: 1,
      mimeType: 'image/png' as const,
      width: 1,
      height: 1,
      createdAt: Date.now(),
    }
    const result = { images: [image], addresses: [], usage: REPORTED, resolved: {} }
    await settle(one.deps, attempt!, EVIDENCE, { state: 'DONE', ...result })
    expect(await findAnyAttempt(one.db.read, attempt!.id)).toMatchObject({
      state: 'SUCCEEDED',
      charged: 'YES',
      images: 1,
      costMicros: expect.any(Number),
      outputTokens: REPORTED.outputTokens,
    })
    expect(await finalsOf(one, id)).toEqual([])
    const { classTasks, taskLabels } = one.db.read.tables
    for (const table of [classTasks, taskLabels])
      expect(await one.db.read.sql.select().from(table).where(eq(table.taskId, id))).toEqual([])
  })

  it('removes images of every kind, and keeps that they were deleted', async () => {
    await using one = await openEngine({ database, providers: [painter()] })
    const id = await canceledUnknown(one)
    const image = { projectId: DEFAULT_PROJECT, taskId: id, attemptId: null, position: 0, byteSize: 1 }
    const facts = { mimeType: 'image/png', width: 1, height: 1, createdAt: Date.now() } as const
    await one.db.tx(async (q) => {
      for (const [i, kind] of ASSET_KINDS.entries())
        await q.sql
          .insert(q.tables.assets)
          .values({ ...image, ...facts, id: `img_${kind}`, kind, sha256: String(i).repeat(64) })
    })
    await one.engine.deleteTask(operator, id)
    const { deletedImages } = one.db.read.tables
    const rows = await one.db.read.sql.select().from(deletedImages).where(eq(deletedImages.taskId, id))
    expect(rows.map(({ kind }) => kind).toSorted()).toEqual([...ASSET_KINDS].toSorted())
  })

  it('drops the images of a late result with addresses, and the words of a late failure', async () => {
    await using one = await openEngine({ database, providers: [painter()] })
    const [first, second] = [await canceledUnknown(one), await canceledUnknown(one)]
    for (const id of [first, second]) await one.engine.deleteTask(operator, id)
    const [[answered], [failed]] = [await one.attempts(first), await one.attempts(second)]
    const address = {
      attemptId: answered!.id,
      position: 0,
      url: 'https://cdn.test/1',
      revisedPrompt: 'foxes',
    }
    const late = { images: [], addresses: [address], usage: UNKNOWN_USAGE, resolved: {} }
    await settle(one.deps, answered!, EVIDENCE, { state: 'DONE', ...late })
    expect(await addressesOf(one, first)).toEqual([])
    expect((await one.attempts(first))[0]).toMatchObject({ state: 'SUCCEEDED', charged: 'YES' })
    const { failure: said } = failure('rejected', { message: 'refused: lost foxes' })
    await settle(one.deps, failed!, EVIDENCE, { state: 'FAILED', failure: said })
    expect((await one.attempts(second))[0]).toMatchObject({ state: 'REJECTED', error: { message: '' } })
  })

  it('ends downloads in progress as paid, and removes their addresses', async () => {
    const links = await startLinks()
    const provider = linking(links, [links.link([], status(503))])
    await using one = await openEngine({ database, providers: [provider], tuning: quick })
    const { id } = await one.create()
    await fetching(one, id)
    await one.engine.cancelTask(DEFAULT_PROJECT, id)
    const [before] = await one.attempts(id)
    await one.engine.deleteTask(operator, id)
    expect(await addressesOf(one, id)).toEqual([])
    const { costMicros, images } = before!
    expect(await one.attempts(id)).toMatchObject([{ state: 'FAILED', charged: 'YES', costMicros, images }])
    await expect(one.engine.fetchResult(operator, before!.id)).rejects.toMatchObject({ code: 'CONFLICT' })
  })

  it('removes callbacks, deliveries, and answers on disk, also damaged ones', async () => {
    await using receiver = await openReceiver()
    await using one = await openEngine({ database, providers: [painter()], webhookRule: ANY_ADDRESS })
    const { id } = await one.create({ callbackUrl: `${receiver.url}/ended` })
    await one.reached(id, 'SUCCEEDED')
    const [attempt] = await one.attempts(id)
    const row = { attemptId: attempt!.id, sha256: 'a', body: 'foxes', receivedAt: Date.now() }
    await one.db.tx((q) => insertCallback(q, row))
    const file = one.store.newFile()
    await writeFile(file, 'an image')
    await writeReceivedAnswer(one.deps, {
      attemptId: attempt!.id,
      images: [{ file, revisedPrompt: 'foxes' }],
      usage: UNKNOWN_USAGE,
      resolved: {},
      evidence: EVIDENCE,
    })
    const damaged = join(one.place.dataDir, 'assets', 'damaged')
    await mkdir(damaged)
    const aside = join(damaged, `${attempt!.id}.receipt.json`)
    await writeFile(aside, '{ broken')
    await one.engine.deleteTask(operator, id)
    expect(await listCallbacks(one.db.read, attempt!.id)).toEqual([])
    expect(await listDeliveriesOfTasks(one.db.read, [id])).toEqual([])
    const record = join(one.store.spool, `${attempt!.id}.receipt.json`)
    expect([file, record, aside].filter(existsSync)).toEqual([])
  })

  it('does not take the input image from a task that is about to be sent', async () => {
    await using one = await openEngine({ database, providers: [painter()] })
    const { id } = await one.create()
    await one.reached(id, 'SUCCEEDED')
    const [image] = await finalsOf(one, id)
    const edit = await one.create({ prompt: 'lost', images: [{ imageId: image!.id }] })
    await one.engine.deleteTask(operator, id)
    // As it was read before the deletion.
    const { images } = await loadInputs(one.deps, edit, new AbortController().signal)
    expect(images).toMatchObject([{ width: image!.width, byteSize: image!.byteSize }])
    await one.reached(edit.id, 'OUTCOME_UNKNOWN')
  })

  it('and retries at the same time leave each retry with its input images, or refuse it', async () => {
    await using one = await openEngine({ database, providers: [painter()] })
    const { id: source } = await one.create()
    await one.reached(source, 'SUCCEEDED')
    const [image] = await finalsOf(one, source)
    for (let i = 0; i < 5; i++) {
      const edit = await one.create({ prompt: 'lost', images: [{ imageId: image!.id }] })
      await one.reached(edit.id, 'OUTCOME_UNKNOWN')
      await one.engine.cancelTask(DEFAULT_PROJECT, edit.id)
      const [retried] = await Promise.allSettled([
        one.engine.retryTask(operator, edit.id, { acceptPossibleSecondCharge: true }),
        one.engine.deleteTask(operator, edit.id),
        one.engine.deleteTask(operator, edit.id),
      ])
      const failed: unknown = retried.status === 'rejected' ? retried.reason : { code: 'NOT_FOUND' }
      expect(failed).toMatchObject({ code: 'NOT_FOUND' })
      if (retried.status === 'fulfilled') await one.reached(retried.value.id, 'OUTCOME_UNKNOWN')
      expect(await finalsOf(one, source)).toHaveLength(1)
    }
  })
})
