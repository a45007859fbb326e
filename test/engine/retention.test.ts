import { existsSync, readdirSync } from 'node:fs'
import { utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { eq } from 'drizzle-orm'
import { describe, expect, it } from 'vitest'
import { appendEvents } from '../../src/db/tasks/events.ts'
import { listAssets } from '../../src/db/tasks/assets.ts'
import { insertCallback, listCallbacks } from '../../src/db/attempts/callbacks.ts'
import { listDeliveriesOfTasks, listTries } from '../../src/db/webhooks/deliveries.ts'
import { DEFAULT_PROJECT } from '../../src/db/access/projects.ts'
import { listAudit } from '../../src/db/access/audit.ts'
import { operatorOf } from '../../src/engine/access/access.ts'
import type { TaskEventBody } from '../../src/domain.ts'
import { encodeCursor } from '../../src/engine/events/cursor.ts'
import type { FeedItem } from '../../src/engine/events/feed-item.ts'
import { createHousekeeping } from '../../src/engine/maintenance/housekeeping.ts'
import { DATABASES, type DatabaseKind } from '../support/database.ts'
import { openEngine, type TestEngine, type TestEngineOptions } from '../support/engine.ts'
import { checkInvariants } from '../support/invariants.ts'
import { ageTask } from '../support/age-task.ts'
import { ANY_ADDRESS, openReceiver } from '../support/receiver.ts'
import { done, failure, held, writeImage, scripted } from '../support/scripted.ts'

const [HOUR, DAY] = [3_600_000, 86_400_000]
const { signal } = new AbortController()

/** Sends a partial image and an image; loses requests with `lost` in the prompt. */
const painter = () =>
  scripted(async (sent) => {
    if (sent.order.prompt.includes('lost')) throw failure('lost')
    await sent.call.onPartial(await writeImage(sent.call), 0)
    return done(sent)
  })

const open = (database: DatabaseKind, more: Partial<TestEngineOptions> = {}) =>
  openEngine({ database, providers: [painter()], ...more })

async function finished(one: TestEngine, ago = 0): Promise<string> {
  const { id } = await one.create({ partialImages: 1 })
  await one.reached(id, 'SUCCEEDED')
  await ageTask(one.db, id, ago)
  return id
}

const kindsOf = async ({ db }: TestEngine, id: string) =>
  (await listAssets(db.read, [id])).map(({ kind }) => kind).toSorted()

const violations = ({ place, store }: TestEngine) => checkInvariants(place, store)

async function take(stream: AsyncIterable<FeedItem>, count = Infinity): Promise<FeedItem[]> {
  const items: FeedItem[] = []
  for await (const item of stream) if (items.push(item) >= count) break
  return items
}

const bodies = (items: FeedItem[]) => items.map(({ body }) => body)
const feedCursor = (seq: number) => encodeCursor('feed', DEFAULT_PROJECT, seq)

describe.each(DATABASES)('retention on %s', (database) => {
  it('removes partial images after a day and events after a week', async () => {
    await using one = await open(database)
    const ages = { young: 0, old: 25 * HOUR, ancient: 8 * DAY }
    const ids: Record<string, string> = {}
    for (const [name, ago] of Object.entries(ages)) ids[name] = await finished(one, ago)
    const { id: lost } = await one.create({ prompt: 'lost' })
    await one.reached(lost, 'OUTCOME_UNKNOWN')
    await ageTask(one.db, lost, 100 * DAY)
    const before = (await one.events(lost)).length

    await createHousekeeping(one.deps).removeRows(signal)
    const counts = async (name: string) => [
      (await one.events(ids[name]!)).length > 0,
      await kindsOf(one, ids[name]!),
    ]
    expect(await counts('young')).toEqual([true, ['FINAL', 'PARTIAL']])
    expect(await counts('old')).toEqual([true, ['FINAL']])
    expect(await counts('ancient')).toEqual([false, ['FINAL']])
    expect(await one.events(lost)).toHaveLength(before)
    expect(await violations(one)).toEqual([])
  })

  it('removes a long log in small steps, and nothing where it is disabled', async () => {
    const disabled = {
      tasksMs: null,
      eventsMs: null,
      partialImagesMs: null,
      deliveriesMs: null,
      callbacksMs: null,
    }
    const never = held()
    await using one = await open(database, { providers: [scripted((sent) => never.answer(sent))] })
    const { id } = await one.create()
    await one.reached(id, 'RUNNING')
    const progressed = Array.from({ length: 1200 }, (_, i) => ({ progress: (i + 1) / 2000 }))
    await one.db.tx(async (q) =>
      appendEvents(
        q,
        await one.task(id),
        progressed.map(({ progress }) => ({ type: 'TASK_PROGRESSED', progress })),
        Date.now(),
      ),
    )
    never.resolveWith(done)
    await one.reached(id, 'SUCCEEDED')
    await ageTask(one.db, id, 1000 * DAY)
    await createHousekeeping({ ...one.deps, retention: disabled }).removeRows(signal)
    expect((await one.events(id))[0]?.seq).toBe(1)
    expect(await kindsOf(one, id)).toEqual(['FINAL'])

    let transactions = 0
    const stop = new AbortController()
    const db = {
      ...one.db,
      async tx<T>(work: Parameters<typeof one.db.tx<T>>[0]) {
        transactions++
        stop.abort()
        return one.db.tx(work)
      },
    }
    await createHousekeeping({ ...one.deps, db }).removeRows(stop.signal)
    expect(transactions).toBe(1)
    const [first] = await one.events(id)
    expect(first?.seq).toBe(501)
    expect(await violations(one)).toEqual([])
    await createHousekeeping(one.deps).removeRows(signal)
    expect(await one.events(id)).toEqual([])
  })

  it('deletes tasks after the time of their project, or of the server', async () => {
    const server = {
      tasksMs: 30 * DAY,
      eventsMs: 7 * DAY,
      partialImagesMs: DAY,
      deliveriesMs: null,
      callbacksMs: null,
    }
    await using one = await open(database, { retention: server })
    const [old, ancient] = [await finished(one, 3 * HOUR), await finished(one, 31 * DAY)]
    const { id: lost } = await one.create({ prompt: 'lost' })
    await one.reached(lost, 'OUTCOME_UNKNOWN')
    await ageTask(one.db, lost, 100 * DAY)
    await ageFiles(join(one.place.dataDir, 'assets', 'objects'))
    const deletedAt = async () =>
      Promise.all([old, ancient, lost].map(async (id) => (await one.task(id)).deletedAt !== null))
    const sweep = () => createHousekeeping(one.deps).removeRows(signal)
    await sweep()
    expect(await deletedAt()).toEqual([false, true, false])
    const [image] = await listAssets(one.db.read, [old])
    expect(await one.store.read(image!.sha256)).toBeDefined()

    const project = await one.engine.setRetention(operatorOf(DEFAULT_PROJECT), { tasksMs: 2 * HOUR })
    expect(project.retention).toEqual({
      tasksMs: 2 * HOUR,
      eventsMs: null,
      partialImagesMs: null,
      deliveriesMs: null,
    })
    await sweep()
    expect(await deletedAt()).toEqual([true, true, false])
    expect(await kindsOf(one, old)).toEqual([])
    await expect(one.store.open(image!.sha256)).rejects.toThrow('No stored asset')
    // Only decisions are audited.
    expect(await listAudit(one.db.read, old)).toEqual([])
    expect(await listAudit(one.db.read, DEFAULT_PROJECT)).toMatchObject([{ action: 'setRetention' }])
  })

  it('removes rows once when several processes run it concurrently', async () => {
    await using one = await open(database)
    const ids = []
    for (let i = 0; i < 6; i++) ids.push(await finished(one, 8 * DAY))
    await Promise.all([1, 2, 3].map(() => createHousekeeping(one.deps).removeRows(signal)))
    for (const id of ids) expect([await one.events(id), await kindsOf(one, id)]).toEqual([[], ['FINAL']])
    expect(await violations(one)).toEqual([])
  })

  it('removes deliveries and callbacks after they and their attempts have ended', async () => {
    await using receiver = await openReceiver()
    await using one = await open(database, { webhookRule: ANY_ADDRESS })
    const ids = []
    for (const ago of [0, 8 * DAY, 31 * DAY]) {
      const { id } = await one.create({ callbackUrl: `${receiver.url}/ended` })
      await one.reached(id, 'SUCCEEDED')
      const sent = async () => (await listDeliveriesOfTasks(one.db.read, [id])).map(({ state }) => state)
      await expect.poll(sent).toEqual(['SUCCEEDED'])
      const [attempt] = await one.attempts(id)
      const row = { attemptId: attempt!.id, sha256: 'a', body: '{}', receivedAt: Date.now() }
      await one.db.tx((q) => insertCallback(q, row))
      await ageTask(one.db, id, ago)
      ids.push(id)
    }
    const deliveries = await listDeliveriesOfTasks(one.db.read, ids)
    await createHousekeeping(one.deps).removeRows(signal)

    const left = []
    for (const id of ids) {
      const [attempt] = await one.attempts(id)
      left.push([
        (await listDeliveriesOfTasks(one.db.read, [id])).length,
        (await listCallbacks(one.db.read, attempt!.id)).length,
      ])
    }
    expect(left).toEqual([
      [1, 1],
      [1, 0],
      [0, 0],
    ])
    const tries = await listTries(
      one.db.read,
      deliveries.map(({ id }) => id),
    )
    expect(tries).toHaveLength(2)
    expect(await violations(one)).toEqual([])
  })

  it('hides no gap, no early removal and no lost end from the invariants', async () => {
    await using one = await open(database)
    const [young, old, gap] = [
      await finished(one),
      await finished(one, 8 * DAY),
      await finished(one, 8 * DAY),
    ]
    const { events } = one.db.read.tables
    const drop = async (id: string, seq: number) => {
      const row = (await one.events(id)).find((event) => event.seq === seq)!
      await one.db.tx(async (q) => void (await q.sql.delete(events).where(eq(events.feedSeq, row.feedSeq))))
      return row
    }
    const last = (await one.events(old)).length
    const wrong: [string, number, RegExp][] = [
      [young, 1, /I7: the events of/],
      [gap, 2, /I7: the events of/],
      [old, last, /I7: the events of/],
    ]
    for (const [id, seq, finding] of wrong) {
      const row = await drop(id, seq)
      expect(await violations(one)).toContainEqual(expect.stringMatching(finding))
      await one.db.tx(async (q) => void (await q.sql.insert(events).values(row)))
    }
    await drop(old, 1)
    expect(await violations(one)).toEqual([])
  })
})

describe.each(DATABASES)('a subscription on %s from a removed cursor', (database) => {
  it('of a task starts with a resync snapshot, then the end; other cursors get no resync', async () => {
    await using one = await open(database)
    const id = await finished(one, 8 * DAY)
    const { lastSeq } = await one.task(id)
    const watch = async (seq: number | null) => {
      const after = seq === null ? null : encodeCursor('task', id, seq)
      return bodies(await take(await one.engine.watchTask(DEFAULT_PROJECT, id, after)))
    }
    const end: TaskEventBody = { type: 'TASK_FINISHED', status: 'SUCCEEDED' }
    expect((await watch(1)).slice(0, 1)).toEqual([{ type: 'TASK_SNAPSHOT', resync: false }])
    await createHousekeeping(one.deps).removeRows(signal)
    for (const seq of [0, 1, lastSeq - 2]) {
      expect(await watch(seq)).toEqual([{ type: 'TASK_SNAPSHOT', resync: true }, end])
    }
    for (const seq of [null, lastSeq - 1])
      expect(await watch(seq)).toEqual([{ type: 'TASK_SNAPSHOT', resync: false }, end])
    expect(await watch(lastSeq)).toEqual([{ type: 'TASK_SNAPSHOT', resync: false }])
  })

  it('of a feed starts with a snapshot of the unfinished tasks, or of the newest, then continues', async () => {
    await using one = await open(database)
    const [first, second] = [await finished(one, 8 * DAY), await finished(one, 8 * DAY)]
    const last = (await one.task(first)).lastSeq + (await one.task(second)).lastSeq
    await createHousekeeping(one.deps).removeRows(signal)
    const watch = async (seq: number, count: number) =>
      take(await one.engine.watchProject(DEFAULT_PROJECT, {}, feedCursor(seq)), count)

    const [newest] = await watch(1, 1)
    expect(newest).toMatchObject({ body: { type: 'TASK_SNAPSHOT', resync: true }, task: { id: second } })
    expect(newest?.cursor).toBe(feedCursor(last))

    const { id: lost } = await one.create({ prompt: 'lost' })
    await one.reached(lost, 'OUTCOME_UNKNOWN')
    const [unfinished] = await watch(1, 1)
    expect(unfinished).toMatchObject({ body: { resync: true }, task: { id: lost } })
    // From the end of the removed events, nothing is missing.
    const next = await watch(last, 1)
    expect(bodies(next)).toEqual([{ type: 'TASK_QUEUED' }])
    // After the snapshots the feed continues.
    const watching = await one.engine.watchProject(DEFAULT_PROJECT, {}, feedCursor(1))
    await watching.next()
    const { id: third } = await one.create()
    const { value } = await watching.next()
    expect(value).toMatchObject({ body: { type: 'TASK_QUEUED' }, task: { id: third } })
    await watching.return?.()
  })

  it('of a feed with a gap gets the resync at the gap', async () => {
    await using one = await open(database)
    const { id: lost } = await one.create({ prompt: 'lost' })
    await one.reached(lost, 'OUTCOME_UNKNOWN')
    const before = (await one.task(lost)).lastSeq
    await finished(one, 8 * DAY)
    const after = await finished(one)
    await createHousekeeping(one.deps).removeRows(signal)
    const items = await take(await one.engine.watchProject(DEFAULT_PROJECT, {}, feedCursor(0)), 1)
    expect(items[0]).toMatchObject({ body: { type: 'TASK_SNAPSHOT', resync: true }, task: { id: lost } })
    const inOrder = await take(
      await one.engine.watchProject(
        DEFAULT_PROJECT,
        {},
        feedCursor(before + (await one.task(after)).lastSeq),
      ),
      1,
    )
    expect(inOrder[0]?.task.id).toBe(after)
  })
})

describe.each(DATABASES)('unused files on %s', (database) => {
  it('are removed after an hour; referenced files stay, and all files of another database', async () => {
    await using one = await open(database)
    const id = await finished(one, 25 * HOUR)
    const objects = join(one.place.dataDir, 'assets', 'objects')
    const orphan = one.store.newFile()
    await writeFile(orphan, 'left by a crash')
    const { sha256 } = await one.store.put(orphan)
    const removed: string[] = []
    const deps = { ...one.deps, removeRenditions: async (hash: string) => void removed.push(hash) }
    const collect = () => createHousekeeping(deps).collectFiles(signal)
    await collect()
    expect(removed).toEqual([])

    await ageFiles(objects)
    await createHousekeeping({
      ...deps,
      store: { ...one.store, claimOwner: () => Promise.resolve(false) },
    }).collectFiles(signal)
    expect(removed).toEqual([])
    await collect()
    expect(removed).toEqual([sha256])
    const [final] = await listAssets(one.db.read, [id])
    expect(await one.store.read(final!.sha256)).toBeDefined()
  })

  it('exclude a partial image that became an input', async () => {
    await using one = await open(database)
    const id = await finished(one)
    const partial = (await listAssets(one.db.read, [id])).find(({ kind }) => kind === 'PARTIAL')!
    const edit = await one.create({ prompt: 'lost', images: [{ imageId: partial.id }] })
    await one.reached(edit.id, 'OUTCOME_UNKNOWN')
    await ageTask(one.db, id, 8 * DAY)
    await createHousekeeping(one.deps).removeRows(signal)
    expect(await kindsOf(one, id)).toEqual(['FINAL'])
    expect(await kindsOf(one, edit.id)).toEqual(['INPUT'])
    const again = await one.engine.retryTask({ projectId: DEFAULT_PROJECT, apiKeyId: null }, edit.id, {
      acceptPossibleSecondCharge: true,
    })
    expect(again.request.images).toEqual(edit.request.images)
    await one.reached(edit.id, 'OUTCOME_UNKNOWN')
    expect((await one.attempts(edit.id)).map(({ state }) => state)).toEqual(['UNKNOWN', 'UNKNOWN'])
    expect(await violations(one)).toEqual([])
  })
})

async function ageFiles(objects: string): Promise<void> {
  const then = (Date.now() - 2 * HOUR) / 1000
  for (const name of readdirSync(objects, { recursive: true, encoding: 'utf8' })) {
    const file = join(objects, name)
    if (name.length > 64 && existsSync(file)) await utimes(file, then, then)
  }
}
