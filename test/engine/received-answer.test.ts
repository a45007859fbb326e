import { existsSync } from 'node:fs'
import { cp, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { writeReceivedAnswer } from '../../src/engine/attempts/received-answer.ts'
import { filesOf } from '../../src/providers/provider.ts'
import { DATABASES, newPlace } from '../support/database.ts'
import { openEngine, type TestEngine } from '../support/engine.ts'
import { done, failure, held, writeImage, scripted, REPORTED } from '../support/scripted.ts'

const EVIDENCE = { wirePhase: 'BODY_DONE' as const, httpStatus: 200, providerRequestId: 'req-9' }

describe.each(DATABASES)('an answer received before a crash, on %s', (database) => {
  it('is settled by the next start, with nothing sent again', async () => {
    const place = await newPlace(database)
    onTestFinished(() => place.remove())
    const never = held()
    const first = scripted((sent) => never.answer(sent))
    const dying = await openEngine({
      place,
      providers: [first],
      tuning: { leaseMs: 300, heartbeatMs: 60_000 },
    })
    const { id } = await dying.create()
    await expect.poll(() => first.sent.length).toBe(1)
    const [attempt] = await dying.attempts(id)
    // What the call had received before the process was killed.
    const [{ order, call }] = first.sent as [(typeof first.sent)[0]]
    const answer = await done({ order, call })
    if (answer.state !== 'DONE') throw new Error('not done')
    const { images, resolved } = answer
    await writeReceivedAnswer(dying.deps, {
      attemptId: attempt!.id,
      images,
      usage: REPORTED,
      resolved,
      costMicros: 41_200,
      evidence: EVIDENCE,
    })
    const spool = dying.store.spool
    const kept = filesOf(images)
    const copies = join(place.dataDir, 'copies')
    await cp(spool, copies, { recursive: true })
    await dying.close()
    // Closing removed the files of the call; a kill would not have.
    await cp(copies, spool, { recursive: true })

    const second = scripted((sent) => done(sent))
    await using next = await openEngine({ place, providers: [second], tuning: { reapMs: 50 } })
    await next.reached(id, 'SUCCEEDED')
    expect(second.sent).toEqual([])
    expect(await next.attempts(id)).toMatchObject([
      {
        state: 'SUCCEEDED',
        charged: 'YES',
        totalTokens: REPORTED.totalTokens,
        costMicros: 41_200,
        priceVersion: null,
        providerRequestId: 'req-9',
      },
    ])
    await expect.poll(() => readdir(next.store.spool)).toEqual([])
    expect(kept.some((file) => existsSync(file))).toBe(false)
  })

  it('is dropped when it was settled already, and set aside when it is malformed', async () => {
    const place = await newPlace(database)
    onTestFinished(() => place.remove())
    const provider = scripted((sent) => done(sent))
    const first = await openEngine({ place, providers: [provider] })
    const { id } = await first.create()
    await first.reached(id, 'SUCCEEDED')
    const [attempt] = await first.attempts(id)
    const file = first.store.newFile()
    await writeFile(file, 'an image that is stored already')
    const images = [{ file, revisedPrompt: null }]
    await writeReceivedAnswer(first.deps, {
      attemptId: attempt!.id,
      images,
      usage: REPORTED,
      resolved: {},
      evidence: EVIDENCE,
    })
    await writeFile(join(first.store.spool, 'att_x.receipt.json'), '{"attemptId":7}')
    await first.close()

    await using next = await openEngine({ place, providers: [provider] })
    await expect.poll(() => readdir(next.store.spool)).toEqual([])
    expect(await readdir(join(place.dataDir, 'assets', 'damaged'))).toEqual(['att_x.receipt.json'])
    expect(await next.attempts(id)).toHaveLength(1)
    expect(provider.sent).toHaveLength(1)
  })

  it('is settled although the database was restored from before it was sent, and is not sent again', async () => {
    const place = await newPlace(database)
    onTestFinished(() => place.remove())
    const provider = scripted((sent) => done(sent))
    await using one = await openEngine({ place, providers: [provider], start: false })
    const { id } = await one.create()
    const [attempt] = await one.attempts(id)
    await record(one, attempt!.id)
    await one.engine.start()
    await one.reached(id, 'SUCCEEDED')
    expect(await one.attempts(id)).toMatchObject([{ state: 'SUCCEEDED', charged: 'YES' }])
    expect(provider.sent).toEqual([])
  })

  it('is settled after its data folder was moved', async () => {
    const place = await newPlace(database)
    onTestFinished(() => place.remove())
    const provider = scripted((sent) => done(sent))
    const one = await openEngine({ place, providers: [provider], start: false })
    const { id } = await one.create()
    const [attempt] = await one.attempts(id)
    await record(one, attempt!.id)
    await one.close()
    const moved = await newFolder()
    await cp(place.dataDir, moved, { recursive: true })
    await rm(join(place.dataDir, 'assets'), { recursive: true })
    await using next = await openEngine({ place: { ...place, dataDir: moved }, providers: [provider] })
    await next.reached(id, 'SUCCEEDED')
    expect(provider.sent).toEqual([])
    await next.close()
  })

  it('stays on disk, with its images, when its attempt is not in the database', async () => {
    const place = await newPlace(database)
    onTestFinished(() => place.remove())
    const one = await openEngine({ place, providers: [scripted((sent) => done(sent))], start: false })
    await record(one, 'att_after_the_backup')
    const names = await readdir(one.store.spool)
    expect(names).toHaveLength(2)
    for (const name of names) await utimes(join(one.store.spool, name), 1e9, 1e9)
    await one.engine.start()
    expect(await readdir(one.store.spool)).toEqual(names)
    await one.close()
  })

  it('is left on disk, and settles nothing, when it was received for another database', async () => {
    const place = await newPlace(database)
    onTestFinished(() => place.remove())
    const never = held()
    const provider = scripted((sent) => never.answer(sent))
    await using one = await openEngine({ place, providers: [provider], start: false })
    const { id } = await one.create()
    const [attempt] = await one.attempts(id)
    // As after a copy of the database: the attempt is in both.
    await record({ ...one, deps: { ...one.deps, databaseId: 'another' } }, attempt!.id)
    const names = await readdir(one.store.spool)
    await one.engine.start()
    await expect.poll(() => provider.sent.length).toBe(1)
    expect(await readdir(one.store.spool)).toEqual(expect.arrayContaining(names))
    expect(await one.attempts(id)).toMatchObject([{ state: 'SENDING', charged: 'UNKNOWN' }])
  })

  it('holds back a permitted second request while its settling fails', async () => {
    const place = await newPlace(database)
    onTestFinished(() => place.remove())
    const paused = Promise.withResolvers<void>()
    const provider = scripted(async () => {
      await paused.promise
      throw failure('lost')
    })
    await using one = await openEngine({
      place,
      providers: [provider],
      tuning: { reapMs: 50, lookupDelaysMs: [] },
    })
    const { id } = await one.create({ onUnknownOutcome: 'RESEND', maxCharges: 2 })
    await expect.poll(() => provider.sent.length).toBe(1)
    await one.engine.pauseProvider({ provider: 'scripted', model: null }, 'The second request waits.')
    paused.resolve()
    await expect.poll(async () => (await one.attempts(id)).length).toBe(2)

    const put = vi.spyOn(one.store, 'put').mockRejectedValue(new Error('EIO'))
    onTestFinished(() => put.mockRestore())
    const [first] = await one.attempts(id)
    await record(one, first!.id)
    await expect.poll(() => put.mock.calls.length).toBeGreaterThan(1)
    await one.engine.resumeProvider({ provider: 'scripted', model: null })
    await expect.poll(async () => (await one.attempts(id))[1]?.leaseEpoch).toBeGreaterThan(0)
    await expect.poll(async () => (await one.attempts(id))[1]?.state).toBe('PLANNED')
    expect(provider.sent).toHaveLength(1)
    put.mockRestore()
    await one.reached(id, 'SUCCEEDED')
    expect(await one.attempts(id)).toMatchObject([
      { state: 'SUCCEEDED' },
      { state: 'CANCELED', sentAt: null },
    ])
    expect(provider.sent).toHaveLength(1)
  })

  it('is set aside when its images are missing, and its outcome is UNKNOWN', async () => {
    const place = await newPlace(database)
    onTestFinished(() => place.remove())
    const never = held()
    const first = scripted((sent) => never.answer(sent))
    const tuning = { leaseMs: 300, heartbeatMs: 60_000, reapMs: 50 }
    const dying = await openEngine({ place, providers: [first], tuning })
    const { id } = await dying.create()
    await expect.poll(() => first.sent.length).toBe(1)
    const [attempt] = await dying.attempts(id)
    const image = await record(dying, attempt!.id)
    const saved = await newFolder()
    await cp(dying.store.spool, saved, { recursive: true })
    await dying.close()
    await cp(saved, dying.store.spool, { recursive: true })
    await rm(image)
    await using next = await openEngine({ place, providers: [scripted((sent) => done(sent))], tuning })
    await next.reached(id, 'OUTCOME_UNKNOWN')
    await expect.poll(() => readdir(next.store.spool)).toEqual([])
    expect(await readdir(join(place.dataDir, 'assets', 'damaged'))).toEqual([`${attempt!.id}.receipt.json`])
  })
})

/** Writes the record of an answer with one image, and returns the image's file. */
async function record({ deps, store }: TestEngine, attemptId: string): Promise<string> {
  const file = await writeImage({ newFile: () => store.newFile() })
  const images = [{ file, revisedPrompt: null }]
  await writeReceivedAnswer(deps, { attemptId, images, usage: REPORTED, resolved: {}, evidence: EVIDENCE })
  return file
}

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'darkroom-test-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}
