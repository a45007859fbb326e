// The live store of the dashboard: random, repeated and reordered events.
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { LiveEvent, LiveTask } from '../../dashboard/src/api/generated.ts'
import { matches, readLiveSearch } from '../../dashboard/src/live/filter.ts'
import { createCatchUp } from '../../dashboard/src/live/link-state.ts'
import { assignSlots, EMPTY_SLOTS, LINGER_MS } from '../../dashboard/src/live/slots.ts'
import { createTaskStore, isRunning, MAX_TASKS } from '../../dashboard/src/live/task-store.ts'

const STATUSES = ['QUEUED', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELED', 'OUTCOME_UNKNOWN'] as const

function taskOf(id: string, revision: number, status: LiveTask['status'] = 'RUNNING'): LiveTask {
  return {
    id,
    revision,
    status,
    operation: 'GENERATE',
    prompt: `a fox ${id}`,
    model: 'gpt-image-2',
    size: 'auto',
    quality: 'LOW',
    user: null,
    apiKeyId: null,
    n: 1,
    progress: 0,
    charged: 'NO',
    costMicros: null,
    cancelRequested: false,
    createdAt: '2026-11-30T00:00:00Z',
    startedAt: null,
    finishedAt: null,
    provider: null,
    error: null,
    warnings: [],
    images: [],
    partialImages: [],
  }
}

function eventOf(task: LiveTask, cursor: string): LiveEvent {
  return { type: 'TaskProgressed', cursor, at: task.createdAt, progress: task.progress, task }
}

function openStore(maxSlots = 4) {
  let now = 0
  const store = createTaskStore({ schedule: () => {}, now: () => now, maxSlots })
  return { store, pass: (ms: number) => (now += ms) }
}

const history = fc.array(
  fc.record({
    id: fc.constantFrom('task_a', 'task_b', 'task_c', 'task_d', 'task_e', 'task_f'),
    revision: fc.integer({ min: 1, max: 9 }),
    status: fc.constantFrom(...STATUSES),
  }),
  { maxLength: 40 },
)

describe('the store', () => {
  it('keeps the newest revision of each task, in any order of events and with repetitions', () => {
    fc.assert(
      fc.property(history, fc.integer(), (parts, seed) => {
        // One state for each revision, as on the server.
        const states = new Map(parts.map((one) => [`${one.id} ${one.revision}`, one]))
        const events = [...states].map(([cursor, { id, revision, status }]) =>
          eventOf(taskOf(id, revision, status), cursor),
        )
        const shuffled = [...events, ...events].toSorted(
          (a, b) => Math.sin(seed + a.cursor.length * 7 + a.task.revision) - Math.sin(b.task.revision + seed),
        )
        const { store } = openStore()
        for (const event of shuffled) store.apply(event)
        store.flush()
        for (const id of new Set(parts.map((one) => one.id))) {
          const newest = events.filter((one) => one.task.id === id).map(({ task }) => task)
          const expected = newest.reduce((a, b) => (a.revision > b.revision ? a : b))
          expect(store.get(id)).toMatchObject({ revision: expected.revision, status: expected.status })
        }
      }),
    )
  })

  it('shows each finished task once, newest first, and no task in two lists', () => {
    fc.assert(
      fc.property(history, (parts) => {
        const { store, pass } = openStore()
        for (const [index, { id, revision, status }] of parts.entries()) {
          store.apply(eventOf(taskOf(id, revision, status), `${index}`))
          if (index % 5 === 0) store.flush()
          pass(700)
        }
        store.flush()
        const done = store.done()
        const placed = store.slots().entries.flatMap((entry) => (entry ? [entry.id] : []))
        expect(done).toEqual([...new Set(done)].toSorted().toReversed())
        expect(new Set([...done, ...placed]).size + store.waitingCount()).toBe(store.size())
        expect(done.every((id) => !isRunning(store.get(id)!))).toBe(true)
      }),
    )
  })

  it('holds at most 2,000 finished tasks, and drops the oldest', () => {
    const { store } = openStore()
    const ids = Array.from({ length: MAX_TASKS + 50 }, (_, index) => `task_${String(index).padStart(5, '0')}`)
    store.put(ids.map((id) => taskOf(id, 1, 'SUCCEEDED')))
    expect(store.size()).toBe(MAX_TASKS)
    expect(store.done()[0]).toBe(ids.at(-1))
    expect(store.get(ids[0]!)).toBeUndefined()
  })

  it('keeps the address of an image, so that it is not loaded again, until it may have expired', () => {
    const { store, pass } = openStore()
    const image = { id: 'img_a', width: 1, height: 1, thumbhash: null, small: '', medium: '', large: '' }
    const withUrl = (revision: number, url: string) => ({
      ...taskOf('task_a', revision, 'SUCCEEDED'),
      images: [{ ...image, url }],
    })
    const url = () => store.get('task_a')?.images[0]?.url
    store.put([withUrl(1, 'first')])
    store.put([withUrl(2, 'second')])
    expect(url()).toBe('first')
    pass(14 * 60_000)
    store.put([withUrl(2, 'third')])
    expect(url()).toBe('third')
  })

  it('shows only tasks of the filter, and a task that leaves it at once', () => {
    const { store } = openStore()
    store.put([taskOf('task_a', 1), taskOf('task_b', 1, 'FAILED')])
    store.setFilter(({ status }) => status === 'RUNNING')
    expect([store.slots().entries.map((one) => one?.id), store.done()]).toEqual([['task_a'], []])
    store.put([taskOf('task_a', 2, 'SUCCEEDED')])
    expect([store.slots().entries, store.done()]).toEqual([[], []])
  })
})

const options = (now: number) => ({ now, maxSlots: 1 })

describe('places of running tasks', () => {
  it('never move while a task runs, and hold one task each', () => {
    const steps = fc.array(fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g')), {
      maxLength: 30,
    })
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: LINGER_MS }), (runs, stepMs) => {
        let slots = EMPTY_SLOTS
        for (const [index, running] of runs.entries()) {
          const before = slots.entries
          slots = assignSlots(slots, new Set(running), { now: index * stepMs, maxSlots: 4 })
          const ids = slots.entries.flatMap((entry) => (entry ? [entry.id] : []))
          expect(new Set(ids).size).toBe(ids.length)
          expect(ids.length).toBeLessThanOrEqual(4)
          const kept = before.filter((entry) => entry !== undefined && new Set<string>(running).has(entry.id))
          expect(kept.map((entry) => slots.entries[before.indexOf(entry)]?.id)).toEqual(
            kept.map((entry) => entry?.id),
          )
        }
      }),
    )
  })

  it('are free for another task 5 seconds after the end', () => {
    const first = assignSlots(EMPTY_SLOTS, new Set(['a']), options(0))
    const ended = assignSlots(first, new Set(['b']), options(1_000))
    expect(ended.entries).toEqual([{ id: 'a', endedAt: 1_000 }])
    expect(assignSlots(ended, new Set(['b']), options(5_999)).entries[0]?.id).toBe('a')
    expect(assignSlots(ended, new Set(['b']), options(6_000)).entries).toEqual([{ id: 'b' }])
  })
})

describe('missed events', () => {
  it('are counted up to the cursor of the present, whether it is known before or after them', () => {
    const late = createCatchUp()
    late.start()
    expect([late.event('1'), late.event('2'), late.event('3')]).toEqual([undefined, undefined, undefined])
    expect(late.present('2', '0')).toBe(2)
    const early = createCatchUp()
    early.start()
    expect(early.present('2', '0')).toBeUndefined()
    expect([early.event('1'), early.event('2'), early.event('3')]).toEqual([undefined, 2, undefined])
  })

  it('are none if the last known event is that of the present', () => {
    const catchUp = createCatchUp()
    catchUp.start()
    expect(catchUp.present('7', '7')).toBe(0)
  })
})

describe('the filter', () => {
  it('is read from an address, without values that do not exist', () => {
    expect(readLiveSearch({ status: 'FAILED,NONE', op: 'PAINT', q: 'red fox', extra: '1' })).toEqual({
      status: ['FAILED'],
      q: 'red fox',
    })
  })

  it('finds whole words, and beginnings with an asterisk', () => {
    const task = { ...taskOf('a', 1), prompt: 'A Red fóx, in the snow' }
    expect(matches(task, { q: 'FÓX RED' })).toBe(true)
    // As on the server, accents matter.
    expect(matches(task, { q: 'fox' })).toBe(false)
    expect(matches(task, { q: 'sno' })).toBe(false)
    expect(matches(task, { q: 'sno*' })).toBe(true)
    expect(matches(task, { status: ['FAILED'] })).toBe(false)
    expect(matches(task, { model: 'gpt-image-2', op: 'GENERATE' })).toBe(true)
  })
})
