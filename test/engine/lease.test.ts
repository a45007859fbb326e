import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { pathToFileURL } from 'node:url'
import { describe, expect, it } from 'vitest'
import { claimDue } from '../../src/engine/worker/claim.ts'
import type { AttemptRow } from '../../src/db/tables/tables.ts'
import { openDatabase } from '../../src/db/open.ts'
import { commitIntent } from '../../src/engine/attempts/intent.ts'
import { release } from '../../src/engine/attempts/apply-transition.ts'
import { createRecorder } from '../../src/engine/worker/call.ts'
import { settle } from '../../src/engine/attempts/settle.ts'
import { createLog } from '../../src/log.ts'
import { DATABASES, newPlace } from '../support/database.ts'
import { openEngine, type TestEngine } from '../support/engine.ts'
import { done, failure, held, scripted } from '../support/scripted.ts'

/** Renews no lease and recovers no attempt: a worker that looks dead to the others. */
const STUCK = { leaseMs: 100, heartbeatMs: 60_000, reapMs: 60_000 }

const NO_EVIDENCE = { wirePhase: 'NONE', httpStatus: null, providerRequestId: null } as const

/** The attempt as a first worker claimed it, and as a second one holds it now. */
async function claimedTwice(one: TestEngine): Promise<{ stale: AttemptRow; current: AttemptRow }> {
  const claim = async (owner: string) => {
    const [attempt] = await one.db.tx((q) =>
      claimDue(q, { provider: 'scripted', limit: 1, owner, leaseMs: 60_000, dataFolderId: 'fld_1' }),
    )
    return attempt!
  }
  const stale = await claim('worker-1')
  await release(one.deps, stale)
  return { stale, current: await claim('worker-2') }
}

describe.each(DATABASES)('a worker that lost its lease on %s', (database) => {
  it('cannot send, fail, cancel, release or report progress of an attempt that another worker holds', async () => {
    await using one = await openEngine({
      database,
      providers: [scripted((sent) => done(sent))],
      start: false,
    })
    const { id } = await one.create()
    const { stale, current } = await claimedTwice(one)
    const task = await one.task(id)
    const first = { ...one.deps, workerId: 'worker-1' }
    const second = { ...one.deps, workerId: 'worker-2' }

    expect(await commitIntent(first, task, stale, null)).toBe('LEASE_LOST')
    expect(await one.task(id)).toMatchObject({ status: 'QUEUED', chargesOpen: 0 })
    expect(await commitIntent(second, task, current, null)).toBe('COMMITTED')
    const [sending] = await one.attempts(id)
    const { lastSeq } = await one.task(id)

    await settle(first, stale, NO_EVIDENCE, { state: 'FAILED', failure: failure('rejected').failure })
    await settle(first, stale, NO_EVIDENCE, { state: 'CANCELED' })
    await settle(first, stale, NO_EVIDENCE, { state: 'RELEASED' })
    const recorder = createRecorder(first, task, stale)
    recorder.progress(0.9)
    await recorder.idle()
    expect(await one.attempts(id)).toEqual([sending])
    expect(await one.task(id)).toMatchObject({ status: 'RUNNING', chargesOpen: 1, lastSeq, progress: 0 })
  })

  it('cannot delay a check that another worker is making, nor end its attempt', async () => {
    await using one = await openEngine({
      database,
      providers: [scripted((sent) => done(sent))],
      start: false,
    })
    const { id } = await one.create()
    const { current } = await claimedTwice(one)
    const second = { ...one.deps, workerId: 'worker-2' }
    await commitIntent(second, await one.task(id), current, null)
    const evidence = { ...NO_EVIDENCE, wirePhase: 'BODY_DONE' as const }
    await settle(second, current, evidence, { state: 'ACCEPTED', remoteId: 'remote', checkAfterMs: 0 })

    const { stale, current: checking } = await claimedTwice(one)
    expect(checking.state).toBe('ACCEPTED')
    const pending = { state: 'PENDING', progress: 0.5, checkAfterMs: 600_000 } as const
    await settle(one.deps, stale, evidence, pending)
    for (const kind of ['lost', 'broken', 'rejected'] as const)
      await settle(one.deps, stale, evidence, { state: 'FAILED', failure: failure(kind).failure })
    expect(await one.attempts(id)).toEqual([checking])
    expect(await one.task(id)).toMatchObject({ progress: 0 })
  })
})

describe('two processes on one PostgreSQL', () => {
  it('accept the result of a call whose lease the other recovered', async () => {
    const slow = held()
    const provider = scripted((sent) => slow.answer(sent))
    await using stuck = await openEngine({ database: 'postgresql', providers: [provider], tuning: STUCK })
    const { id } = await stuck.create()
    await stuck.reached(id, 'RUNNING')
    const idle = scripted((sent) => done(sent))
    await using other = await openEngine({
      place: stuck.place,
      providers: [idle],
      tuning: { reapMs: 30, pollMs: 50 },
    })
    await other.reached(id, 'OUTCOME_UNKNOWN')
    slow.resolveWith((sent) => done(sent))
    await other.reached(id, 'SUCCEEDED')
    expect((await other.attempts(id)).map(({ state, charged }) => [state, charged])).toEqual([
      ['SUCCEEDED', 'YES'],
    ])
    expect([provider.sent.length, idle.sent.length]).toEqual([1, 0])
    await other.close()
  })

  it('never claim the same attempt', async () => {
    const providers = [1, 2].map(() => scripted((sent) => done(sent), { concurrency: 5 }))
    await using one = await openEngine({
      database: 'postgresql',
      providers: [providers[0]!],
      tuning: { pollMs: 20 },
    })
    await using two = await openEngine({
      place: one.place,
      providers: [providers[1]!],
      tuning: { pollMs: 20 },
    })
    const tasks = await Promise.all(Array.from({ length: 60 }, (_, i) => (i % 2 ? one : two).create()))
    for (const { id } of tasks) await one.reached(id, 'SUCCEEDED')
    const sent = providers.map((provider) => provider.sent.map(({ call }) => call.clientRef))
    expect(sent.flat()).toHaveLength(60)
    expect(new Set(sent.flat()).size).toBe(60)
    expect(sent.every((own) => own.length > 0)).toBe(true)
    await two.close()
  })

  it('wake each other: one sends at once what the other stores', async () => {
    const provider = scripted((sent) => done(sent))
    await using asking = await openEngine({ database: 'postgresql', providers: [provider], start: false })
    await using working = await openEngine({
      place: asking.place,
      providers: [provider],
      tuning: { pollMs: 60_000 },
    })
    const first = await working.create()
    await working.reached(first.id, 'SUCCEEDED')
    const { id } = await asking.create()
    await asking.reached(id, 'SUCCEEDED')
    expect(provider.sent).toHaveLength(2)
    await working.close()
  })
})

describe('a second process on one SQLite folder', () => {
  const HOLD = `
    const { openSqlite } = await import(${JSON.stringify(pathToFileURL('src/db/connection/sqlite.ts').href)})
    openSqlite(process.argv[1], () => {})
    console.log('open')
    process.stdin.resume()`

  it('is refused with the name of the first process, and starts after that one was killed', async () => {
    const place = await newPlace('sqlite')
    const open = () => openDatabase({ ...place, onWakeUp: () => {}, log: createLog('silent') })
    const holder = spawn(process.execPath, ['--input-type=module', '--eval', HOLD, place.dataDir], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    try {
      await once(holder.stdout, 'data')
      await expect(open()).rejects.toMatchObject({
        name: 'FolderInUse',
        message: expect.stringContaining(`process ${holder.pid}`),
      })
    } finally {
      holder.kill('SIGKILL')
      await once(holder, 'close')
    }
    const db = await open()
    expect(db.location).toContain(place.dataDir)
    await db.close()
    await place.remove()
  })
})
