import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { findAnyAttempt, insertAttempt, updateAttempt, renewLeases } from '../../src/db/attempts/attempts.ts'
import { claimDue } from '../../src/engine/worker/claim.ts'
import { isValueRefused } from '../../src/db/connection/error-code.ts'
import type { Database } from '../../src/db/connection/database.ts'
import { appendEvents, listEvents, listFeed } from '../../src/db/tasks/events.ts'
import { releaseFromFuture } from '../../src/db/maintenance/clock.ts'
import { openDatabase } from '../../src/db/open.ts'
import { DEFAULT_PROJECT } from '../../src/db/access/projects.ts'
import { findTask, returnPermit, takePermit } from '../../src/db/tasks/tasks.ts'
import { newId } from '../../src/ids.ts'
import { createLog } from '../../src/log.ts'
import { DATABASES, newPlace, type Place } from '../support/database.ts'
import { newTask } from '../support/rows.ts'

describe.each(DATABASES)('the queue on %s', (kind) => {
  let place: Place
  let db: Database
  const woken: string[] = []

  beforeEach(async () => {
    place = await newPlace(kind)
    db = await openDatabase({ ...place, onWakeUp: (key) => woken.push(key), log: createLog('silent') })
  })
  afterEach(async () => {
    await db.close()
    await place.remove()
  })

  const claim = (owner: string, limit = 10, leaseMs = 30_000) =>
    db.tx((q) => claimDue(q, { provider: 'sandbox', limit, owner, leaseMs, dataFolderId: 'fld_1' }))

  async function planned(delayMs = 0, createdAt = Date.now()) {
    const task = await newTask(db)
    const id = newId('att', Date.now())
    await db.tx((q) =>
      insertAttempt(
        q,
        {
          id,
          taskId: task.id,
          projectId: task.projectId,
          number: 1,
          provider: 'sandbox',
          model: 'gpt-image-2',
          createdAt,
        },
        delayMs,
      ),
    )
    return { id, task }
  }

  it('keeps the wait of an attempt that a process planned while its clock was ahead', async () => {
    const graceMs = 900_000
    const ahead = await planned(10_000, Date.now() + 660_000)
    await db.tx((q) => releaseFromFuture(q, graceMs))
    const row = await findAnyAttempt(db.read, ahead.id)
    // On SQLite both times are of one machine: the attempt was created before the clock was set back.
    const inMs = row!.runAfter - Date.now()
    expect(inMs).toBeGreaterThan(kind === 'postgresql' ? 5_000 : -5_000)
    expect(inMs).toBeLessThanOrEqual(10_000)
  })

  it('gives each due attempt to exactly one of many concurrent claims', async () => {
    await Promise.all(Array.from({ length: 60 }, () => planned()))
    const claims = await Promise.all(Array.from({ length: 12 }, (_, i) => claim(`w${i}`, 5)))
    const ids = claims.flat().map((row) => row.id)
    expect(ids).toHaveLength(60)
    expect(new Set(ids).size).toBe(60)
  })

  it('does not return an attempt that is not yet due', async () => {
    await planned(60_000)
    expect(await claim('w1')).toEqual([])
  })

  it('refuses the write of a worker whose lease another worker holds', async () => {
    const { id } = await planned()
    const [first] = await claim('w1', 1, -1)
    await db.tx((q) =>
      updateAttempt(q, id, { from: ['LEASED'], to: 'PLANNED' }, { leaseOwner: null, leaseUntil: null }),
    )
    const [second] = await claim('w2')
    expect(second?.leaseEpoch).toBe((first?.leaseEpoch ?? 0) + 1)
    const late = await db.tx((q) =>
      updateAttempt(
        q,
        id,
        { from: ['LEASED'], to: 'SENDING', lease: { owner: 'w1', epoch: first!.leaseEpoch } },
        { charged: 'UNKNOWN' },
      ),
    )
    expect(late).toBeUndefined()
    await db.tx((q) => renewLeases(q, 'w1', [id], 1))
    const current = await db.tx((q) =>
      updateAttempt(
        q,
        id,
        { from: ['LEASED'], to: 'SENDING', lease: { owner: 'w2', epoch: second!.leaseEpoch } },
        { charged: 'UNKNOWN' },
      ),
    )
    expect(current?.state).toBe('SENDING')
  })

  it('cannot store an attempt in state SENDING as uncharged', async () => {
    const { id } = await planned()
    await claim('w1')
    await expect(db.tx((q) => updateAttempt(q, id, { from: ['LEASED'], to: 'SENDING' }))).rejects.toSatisfy(
      isValueRefused,
    )
  })

  it('cannot store a second open attempt of a task', async () => {
    const { task } = await planned()
    const second = {
      taskId: task.id,
      projectId: task.projectId,
      number: 2,
      provider: 'sandbox',
      model: 'gpt-image-2',
      createdAt: 1,
    }
    await expect(
      db.tx((q) => insertAttempt(q, { ...second, id: newId('att', Date.now()) }, 0)),
    ).rejects.toSatisfy(isValueRefused)
  })

  it('issues one charge permit, and another only after the first is returned', async () => {
    const { task } = await planned()
    const take = () => db.tx((q) => takePermit(q, task.id, { now: Date.now(), events: 1 }))
    const taken = await Promise.all([take(), take(), take()])
    expect(taken.filter((lastSeq) => lastSeq !== undefined)).toEqual([task.lastSeq + 1])
    await db.tx((q) => returnPermit(q, task.id))
    expect(await take()).toBe(task.lastSeq + 2)
  })

  it('rolls back one transaction without changing concurrent ones, and sends wake-ups only for committed ones', async () => {
    const task = await newTask(db)
    woken.length = 0
    const bad = db.tx(async (q) => {
      await appendEvents(q, task, [{ type: 'TASK_QUEUED' }], 1)
      throw new Error('no')
    })
    const good = db.tx((q) => appendEvents(q, task, [{ type: 'TASK_PROGRESSED', progress: 0.5 }], 2))
    await expect(bad).rejects.toThrow('no')
    await good
    const events = await listEvents(db.read, task.id, 0, 10)
    expect(events.map((event) => [event.seq, event.body.type])).toEqual([[1, 'TASK_PROGRESSED']])
    await expect.poll(() => woken.filter((key) => key === `task:${task.id}`)).toHaveLength(1)
  })

  it('returns every event of 20 concurrent writers to a reader of the feed, in order and without a gap', async () => {
    const tasks = await Promise.all(Array.from({ length: 20 }, () => newTask(db)))
    let writing = true
    const received: number[] = []
    const reader = (async () => {
      let after = 0
      for (;;) {
        const done = !writing
        const batch = await listFeed(db.read, DEFAULT_PROJECT, after, 100)
        received.push(...batch.map((event) => event.feedSeq))
        after = received.at(-1) ?? 0
        if (done && batch.length === 0) return
        await new Promise((resolve) => setImmediate(resolve))
      }
    })()
    await Promise.all(
      tasks.map(async (task) => {
        for (let i = 0; i < 50; i++) {
          await db.tx((q) => appendEvents(q, task, [{ type: 'TASK_PROGRESSED', progress: i / 50 }], i))
        }
      }),
    )
    writing = false
    await reader
    expect(received).toEqual(Array.from({ length: 1000 }, (_, i) => i + 1))
    expect((await findTask(db.read, DEFAULT_PROJECT, tasks[0]!.id))?.lastSeq).toBe(50)
  })
})
