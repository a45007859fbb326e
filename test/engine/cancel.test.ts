import { describe, expect, it } from 'vitest'
import { listAssets } from '../../src/db/tasks/assets.ts'
import { countAhead } from '../../src/db/attempts/counts.ts'
import { DEFAULT_PROJECT } from '../../src/db/access/projects.ts'
import { DATABASES } from '../support/database.ts'
import { openEngine, type TestEngine } from '../support/engine.ts'
import { openBesideOther } from '../support/other-worker.ts'
import { done, failure, held, scripted } from '../support/scripted.ts'

const cancel = (one: TestEngine, id: string) => one.engine.cancelTask(DEFAULT_PROJECT, id)

describe.each(DATABASES)('canceling a task on %s', (database) => {
  it('ends a queued task at once, uncharged and with nothing sent', async () => {
    const provider = scripted((sent) => done(sent))
    await using one = await openEngine({ database, providers: [provider], start: false })
    const { id } = await one.create()
    expect(await cancel(one, id)).toMatchObject({ status: 'CANCELED', chargesOpen: 0 })
    await one.engine.start()
    const other = await one.create()
    await one.reached(other.id, 'SUCCEEDED')
    expect(provider.sent).toHaveLength(1)
    expect((await one.attempts(id)).map(({ state, charged }) => [state, charged])).toEqual([
      ['CANCELED', 'NO'],
    ])
    expect((await one.events(id)).map(({ body }) => body.type)).toEqual([
      'TASK_QUEUED',
      'ATTEMPT_ENDED',
      'TASK_FINISHED',
    ])
  })

  it('ends a running task with its result, charged and stored', async () => {
    const gate = held()
    await using one = await openEngine({ database, providers: [scripted((sent) => gate.answer(sent))] })
    const { id } = await one.create()
    await one.reached(id, 'RUNNING')
    expect(await cancel(one, id)).toMatchObject({ status: 'RUNNING', cancelRequestedAt: expect.any(Number) })
    gate.resolveWith((sent) => done(sent))
    expect(await one.reached(id, 'CANCELED')).toMatchObject({ chargesOpen: 1 })
    expect((await one.attempts(id))[0]).toMatchObject({ state: 'SUCCEEDED', charged: 'YES' })
    expect((await listAssets(one.db.read, [id])).map(({ kind }) => kind)).toEqual(['FINAL'])
  })

  it('ends a running task after a refusal, and tries no other provider', async () => {
    const gate = held()
    const other = scripted((sent) => done(sent), { name: 'other' })
    await using one = await openEngine({
      database,
      providers: [scripted((sent) => gate.answer(sent)), other],
    })
    const { id } = await one.create()
    await one.reached(id, 'RUNNING')
    await cancel(one, id)
    gate.release(failure('busy'))
    expect(await one.reached(id, 'CANCELED')).toMatchObject({ chargesOpen: 0 })
    expect(other.sent).toEqual([])
  })

  it('ends a running task with an unknown charge when its attempt is lost', async () => {
    const gate = held()
    await using one = await openEngine({ database, providers: [scripted((sent) => gate.answer(sent))] })
    const { id } = await one.create({ onUnknownOutcome: 'RESEND', maxCharges: 3 })
    await one.reached(id, 'RUNNING')
    await cancel(one, id)
    gate.release(failure('lost'))
    expect(await one.reached(id, 'CANCELED')).toMatchObject({ chargesOpen: 1 })
    expect((await one.attempts(id)).map(({ state }) => state)).toEqual(['UNKNOWN'])
  })

  it('ends a task with an unknown outcome, which stays unknown, and stores a late result', async () => {
    const slow = held()
    const tuning = { leaseMs: 100, heartbeatMs: 60_000, reapMs: 60_000, pollMs: 50 }
    await using one = await openBesideOther({
      database,
      providers: [scripted((sent) => slow.answer(sent))],
      tuning,
    })
    const { id } = await one.create()
    await one.reached(id, 'OUTCOME_UNKNOWN')
    const canceled = await cancel(one, id)
    expect(canceled).toMatchObject({ status: 'CANCELED', chargesOpen: 1 })
    expect((await one.attempts(id))[0]).toMatchObject({ state: 'UNKNOWN', charged: 'UNKNOWN' })
    slow.resolveWith((sent) => done(sent))
    await expect
      .poll(async () => (await one.attempts(id))[0])
      .toMatchObject({ state: 'SUCCEEDED', charged: 'YES' })
    expect(await one.task(id)).toMatchObject({ status: 'CANCELED', lastSeq: canceled.lastSeq })
    expect(await listAssets(one.db.read, [id])).toHaveLength(1)
  })

  it('ends a task that waits for a retry at once', async () => {
    const provider = scripted(() => Promise.reject(failure('busy', { retryAfterMs: 60_000 })))
    await using one = await openEngine({ database, providers: [provider] })
    const { id } = await one.create()
    await expect
      .poll(async () => (await one.attempts(id)).map(({ state }) => state))
      .toEqual(['REJECTED', 'PLANNED'])
    expect(await cancel(one, id)).toMatchObject({ status: 'CANCELED', chargesOpen: 0 })
    expect((await one.attempts(id)).map(({ state }) => state)).toEqual(['REJECTED', 'CANCELED'])
  })

  it('is idempotent', async () => {
    await using one = await openEngine({
      database,
      providers: [scripted((sent) => done(sent))],
      start: false,
    })
    const { id } = await one.create()
    const first = await cancel(one, id)
    expect(await cancel(one, id)).toEqual(first)
  })

  it('throws CONFLICT for a task that ended otherwise, and NOT_FOUND for an unknown one', async () => {
    await using one = await openEngine({ database, providers: [scripted((sent) => done(sent))] })
    const { id } = await one.create()
    await one.reached(id, 'SUCCEEDED')
    await expect(cancel(one, id)).rejects.toMatchObject({ code: 'CONFLICT' })
    await expect(cancel(one, 'task_none')).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await expect(one.engine.cancelTask('prj_other', id)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('never leaves a sent attempt recorded as uncharged when it races with the send', async () => {
    const provider = scripted((sent) => done(sent))
    await using one = await openEngine({ database, providers: [provider] })
    const ids = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const { id } = await one.create()
        await one.engine.cancelTask(DEFAULT_PROJECT, id).catch(() => {})
        return id
      }),
    )
    for (const id of ids) await expect.poll(async () => (await one.task(id)).finishedAt).not.toBeNull()
    const charged = (await Promise.all(ids.map((id) => one.attempts(id))))
      .flat()
      .filter((attempt) => attempt.charged === 'YES')
    expect(charged).toHaveLength(provider.sent.length)
  })
})

describe.each(DATABASES)('the queue of a provider on %s', (database) => {
  it('counts the attempts ahead of each task', async () => {
    await using one = await openEngine({
      database,
      providers: [scripted((sent) => done(sent))],
      start: false,
    })
    const ahead: number[] = []
    for (let i = 0; i < 4; i++) {
      const { id } = await one.create()
      const [attempt] = await one.attempts(id)
      ahead.push(await countAhead(one.db.read, attempt!))
    }
    expect(ahead).toEqual([0, 1, 2, 3])
  })
})
