import { existsSync } from 'node:fs'
import { cp, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { writeReceivedAnswer } from '../../src/engine/attempts/received-answer.ts'
import { filesOf } from '../../src/providers/provider.ts'
import { DATABASES, newPlace } from '../support/database.ts'
import { openEngine } from '../support/engine.ts'
import { done, held, scripted, REPORTED } from '../support/scripted.ts'

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
      { state: 'SUCCEEDED', charged: 'YES', totalTokens: REPORTED.totalTokens, providerRequestId: 'req-9' },
    ])
    await expect.poll(() => readdir(next.store.spool)).toEqual([])
    expect(kept.some((file) => existsSync(file))).toBe(false)
  })

  it('is dropped when it was settled already, and left alone when it is malformed', async () => {
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
    await expect.poll(() => readdir(next.store.spool)).toEqual(['att_x.receipt.json'])
    expect(await next.attempts(id)).toHaveLength(1)
    expect(provider.sent).toHaveLength(1)
  })
})
