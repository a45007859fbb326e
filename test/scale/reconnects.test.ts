import { describe, expect, it, onTestFinished } from 'vitest'
import { DATABASES, newPlace } from '../support/database.ts'
import { newFollower } from './follow.ts'
import { findGaps } from './gaps.ts'
import { reconnect } from './reconnects.ts'

/** `npm run reconnects` does 100,000. */
const COUNT = 150

describe.each(DATABASES)('viewers whose connections break at random moments on %s', (database) => {
  it('receive every event once and in order, of a task and of the feed, over both transports', async () => {
    const place = await newPlace(database)
    onTestFinished(() => place.remove())
    const seed = Math.floor(Math.random() * 2 ** 32)
    const processes = database === 'sqlite' ? 1 : 2
    const { resumed, events, discrepancies } = await reconnect({ place, processes, count: COUNT, seed })
    expect(discrepancies, `seed ${seed}`).toEqual([])
    expect(Object.keys(resumed)).toHaveLength(4)
    for (const times of Object.values(resumed)) expect(times).toBeGreaterThan(0)
    expect(events).toBeGreaterThan(100)
  }, 180_000)
})

describe('the comparison of a viewer with the log', () => {
  it('finds missed, repeated, unknown and reordered events', () => {
    const tasks = new Map([['task_1', ['b', 'c', 'd']]])
    const logs = { feed: ['a', 'b', 'c', 'd'], tasks, violated: [] }
    const compare = (taskId: string | null, after: string, cursors: string[]) =>
      findGaps({ ...newFollower('SSE', taskId, after), cursors }, logs)
    expect(compare(null, 'a', ['b', 'c', 'd'])).toEqual([])
    expect(compare('task_1', 'b', ['c', 'd'])).toEqual([])
    expect(compare(null, 'a', ['b', 'd'])).toEqual(['the feed over SSE: 1 of 3 events were missed'])
    expect(compare('task_1', 'b', ['c', 'c', 'd'])).toEqual(['task_1 over SSE: 1 events were received twice'])
    expect(compare('task_1', 'b', ['b', 'c', 'd'])).toEqual(['task_1 over SSE: 1 events are not in the log'])
    expect(compare(null, 'a', ['c', 'b', 'd'])).toEqual(['the feed over SSE: received in another order'])
  })
})
