import { describe, expect, it } from 'vitest'
import { encodeCursor } from '../../src/engine/events/cursor.ts'
import { TRANSPORTS } from '../support/client.ts'
import { DATABASES } from '../support/database.ts'
import { execute } from '../support/execute.ts'
import { openGateway } from '../support/gateway.ts'
import { refusalOf, takeAll } from './collect.ts'

const WATCH = `subscription ($taskId: ID!, $after: String) {
  taskEvents(taskId: $taskId, after: $after) {
    kind: __typename cursor
    task { status progress }
    ... on TaskSnapshot { resync }
    ... on PartialImageReceived { partialImage { index image { url width height } } }
    ... on TaskFinished { status }
  }
}`

interface Event {
  kind: string
  cursor: string
  status?: string
  resync?: boolean
  task: { status: string; progress: number }
  partialImage?: { index: number; image: { url: string; width: number; height: number } }
}

interface WatchResult {
  taskEvents: Event
}

const sandbox = (durationMs: number) => [{ name: 'sandbox', dialect: 'sandbox', durationMs }]
const cursorsOf = (events: WatchResult[]) => events.map(({ taskEvents }) => taskEvents.cursor)

describe.each(DATABASES)('taskEvents on %s', (database) => {
  describe.each(TRANSPORTS)('over %s', (transport) => {
    it('sends a snapshot, three partial images and the end, then completes', async () => {
      await using server = await openGateway({ database, providers: sandbox(300) })
      const taskId = await server.generate({ prompt: 'a red fox', size: '1024x1024', partialImages: 3 })
      const results = await takeAll(server.watch<WatchResult>(transport, WATCH, { taskId }))
      const events = results.map(({ taskEvents }) => taskEvents)
      expect(events[0]?.kind).toBe('TaskSnapshot')
      expect(events.at(-1)).toMatchObject({
        kind: 'TaskFinished',
        status: 'SUCCEEDED',
        task: { progress: 1 },
      })
      const partials = events.filter(({ kind }) => kind === 'PartialImageReceived')
      expect(partials.map(({ partialImage }) => partialImage?.index)).toEqual([0, 1, 2])
      const progress = events.map(({ task }) => task.progress)
      expect(progress).toEqual(progress.toSorted((a, b) => a - b))

      for (const [i, { cursor }] of events.entries()) {
        const rest = await takeAll(server.watch<WatchResult>(transport, WATCH, { taskId, after: cursor }))
        expect(rest[0]?.taskEvents.kind).toBe('TaskSnapshot')
        expect(cursorsOf(rest.slice(1))).toEqual(cursorsOf(results.slice(i + 1)))
      }
      await expect.poll(() => server.gateway.subscriberCount()).toBe(0)
    })

    it('resumes from every cursor of a running task without gaps and duplicates', async () => {
      await using server = await openGateway({ database, providers: sandbox(1200) })
      const taskId = await server.generate({ prompt: 'a red fox', size: '1024x1024', partialImages: 3 })
      const results: WatchResult[] = []
      const resumed: { from: string; status: string; rest: Promise<WatchResult[]> }[] = []
      for await (const { data } of server.watch<WatchResult>(transport, WATCH, { taskId })) {
        const { cursor, task } = data!.taskEvents
        results.push(data!)
        resumed.push({
          from: cursor,
          status: task.status,
          rest: takeAll(server.watch(transport, WATCH, { taskId, after: cursor })),
        })
      }
      expect(resumed.filter(({ status }) => status === 'RUNNING').length).toBeGreaterThan(4)
      for (const [i, { from, rest }] of resumed.entries()) {
        const [snapshot, ...events] = await rest
        expect(snapshot?.taskEvents).toMatchObject({ kind: 'TaskSnapshot', cursor: from })
        expect(cursorsOf(events)).toEqual(cursorsOf(results.slice(i + 1)))
      }
    })

    it('sends a snapshot and the end of a finished task, then completes', async () => {
      await using server = await openGateway({ database, providers: sandbox(0) })
      const taskId = await server.generate({ prompt: 'a red fox', size: '1024x1024' })
      await server.ended(taskId)
      const events = await takeAll(server.watch<WatchResult>(transport, WATCH, { taskId }))
      expect(events.map(({ taskEvents }) => taskEvents.kind)).toEqual(['TaskSnapshot', 'TaskFinished'])
      expect(events[0]?.taskEvents.task).toEqual({ status: 'SUCCEEDED', progress: 1 })
    })

    it('sends a snapshot and the end to a client that resumes after deleted events', async () => {
      await using server = await openGateway({ database, providers: sandbox(0) })
      const taskId = await server.generate({ prompt: 'a red fox', size: '1024x1024', partialImages: 1 })
      const results = await takeAll(server.watch<WatchResult>(transport, WATCH, { taskId }))
      const [{ cursor }, , next] = results.map(({ taskEvents }) => taskEvents) as [Event, Event, Event]
      const back = async (after: string) =>
        (await takeAll(server.watch<WatchResult>(transport, WATCH, { taskId, after }))).map(
          ({ taskEvents: { kind, resync, status } }) => ({ kind, resync, status }),
        )
      const end = { kind: 'TaskFinished', resync: undefined, status: 'SUCCEEDED' }
      const snapshot = { kind: 'TaskSnapshot', status: undefined }
      // Partial images are deleted first; their events then have no image.
      await execute(server.place, `delete from assets where kind = 'PARTIAL'`)
      const rest = await takeAll(server.watch<WatchResult>(transport, WATCH, { taskId, after: cursor }))
      expect(
        rest.find(({ taskEvents }) => taskEvents.kind === 'PartialImageReceived')?.taskEvents,
      ).toMatchObject({
        partialImage: null,
      })
      await execute(server.place, `delete from task_events where task_id = '${taskId}' and seq < 4`)
      expect(await back(cursor)).toEqual([{ ...snapshot, resync: true }, end])
      expect((await back(next.cursor))[0]).toEqual({ ...snapshot, resync: false })
      await execute(server.place, `delete from task_events where task_id = '${taskId}'`)
      expect(await back(cursor)).toEqual([{ ...snapshot, resync: true }, end])
      expect((await takeAll(server.watch<WatchResult>(transport, WATCH, { taskId }))).length).toBe(2)
      await expect.poll(() => server.gateway.subscriberCount()).toBe(0)
    })

    it('refuses an unknown task and the cursor of another task', async () => {
      await using server = await openGateway({ database, providers: sandbox(0) })
      const mine = await server.generate({ prompt: 'a red fox', size: '1024x1024' })
      const other = await server.generate({ prompt: 'a brass kettle', size: '1024x1024' })
      await Promise.all([server.ended(mine), server.ended(other)])
      const { tasks } = await server.get<{ tasks: { feedCursor: string } }>('{ tasks { feedCursor } }')
      const refused = async (variables: Record<string, unknown>) =>
        (await refusalOf(server.watch(transport, WATCH, variables)))?.[0]?.extensions

      const unknown = mine.replace(/.$/, (last) => (last === '0' ? '1' : '0'))
      expect(await refused({ taskId: unknown })).toEqual({ code: 'NOT_FOUND', field: 'taskId' })
      expect(await refused({ taskId: 'no id at all' })).toEqual({ code: 'NOT_FOUND', field: 'taskId' })
      const invalid = { code: 'CURSOR_INVALID', field: 'after' }
      expect(await refused({ taskId: mine, after: 'garbage' })).toEqual(invalid)
      expect(await refused({ taskId: mine, after: '' })).toEqual(invalid)
      expect(await refused({ taskId: mine, after: encodeCursor('task', other, 1) })).toEqual(invalid)
      expect(await refused({ taskId: mine, after: encodeCursor('task', mine, 1_000_000) })).toEqual(invalid)
      expect(await refused({ taskId: mine, after: tasks.feedCursor })).toEqual(invalid)
      expect(server.gateway.subscriberCount()).toBe(0)
    })
  })
})
