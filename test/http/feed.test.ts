import { describe, expect, it } from 'vitest'
import { encodeCursor } from '../../src/engine/events/cursor.ts'
import { TRANSPORTS } from '../support/client.ts'
import { DATABASES } from '../support/database.ts'
import { execute } from '../support/execute.ts'
import { openGateway } from '../support/gateway.ts'
import { refusalOf, takeUntil } from './collect.ts'

const FEED = `subscription ($filter: TaskFilter, $after: String) {
  taskFeed(filter: $filter, after: $after) { kind: __typename cursor task { id status model provider { name } } ... on TaskSnapshot { resync } }
}`

interface FeedResult {
  taskFeed: {
    kind: string
    cursor: string
    resync?: boolean
    task: { id: string; status: string; model: string; provider: { name: string } }
  }
}

const PROVIDERS = ['quick', 'other'].map((name) => ({ name, dialect: 'sandbox', durationMs: 0 }))
const SMALL = { prompt: 'a red fox', size: '1024x1024' }

const finished = (id: string) => (results: FeedResult) =>
  results.taskFeed.task.id === id && results.taskFeed.kind === 'TaskFinished'
const kinds = (results: FeedResult[], id: string) =>
  results.filter(({ taskFeed }) => taskFeed.task.id === id).map(({ taskFeed }) => taskFeed.kind)
const WHOLE_LIFE = ['TaskQueued', 'AttemptStarted', 'AttemptEnded', 'TaskFinished']

describe.each(DATABASES)('taskFeed on %s', (database) => {
  describe.each(TRANSPORTS)('over %s', (transport) => {
    it('sends snapshots of the open tasks, oldest first, then the events of all tasks', async () => {
      await using server = await openGateway({ database, providers: PROVIDERS })
      const ended = await server.generate(SMALL)
      await server.ended(ended)
      const open = [
        await server.generate({ prompt: '[sandbox:stall] one' }),
        await server.generate({ prompt: '[sandbox:stall] two' }),
      ]
      const created: string[] = []
      const results: FeedResult[] = []
      for await (const { data } of server.watch<FeedResult>(transport, FEED)) {
        results.push(data!)
        if (results.length === 2) created.push(await server.generate(SMALL), await server.generate(SMALL))
        if (created.every((id) => results.some(finished(id))) && created.length === 2) break
      }
      expect(results.slice(0, 2).map(({ taskFeed }) => [taskFeed.kind, taskFeed.task.id])).toEqual(
        open.map((id) => ['TaskSnapshot', id]),
      )
      for (const id of created)
        expect(kinds(results, id).filter((kind) => kind !== 'TaskProgressed')).toEqual(WHOLE_LIFE)
      expect(kinds(results, ended)).toEqual([])
      await expect.poll(() => server.gateway.subscriberCount()).toBe(0)
    })

    it('resumes from every cursor and from feedCursor without a gap', async () => {
      await using server = await openGateway({ database, providers: PROVIDERS })
      await server.ended(await server.generate(SMALL))
      const { tasks } = await server.get<{ tasks: { feedCursor: string } }>('{ tasks { feedCursor } }')
      const ids = await Promise.all([1, 2, 3].map(() => server.generate(SMALL)))
      await Promise.all(ids.map((id) => server.ended(id)))

      const remaining = new Set(ids)
      const results = await takeUntil(
        server.watch<FeedResult>(transport, FEED, { after: tasks.feedCursor }),
        (one) => {
          if (one.taskFeed.kind === 'TaskFinished') remaining.delete(one.taskFeed.task.id)
          return remaining.size === 0
        },
      )
      for (const id of ids)
        expect(kinds(results, id).filter((kind) => kind !== 'TaskProgressed')).toEqual(WHOLE_LIFE)

      const cursors = results.map(({ taskFeed }) => taskFeed.cursor)
      for (const [i, after] of cursors.slice(0, -1).entries()) {
        const isLast = ({ taskFeed }: FeedResult) => taskFeed.cursor === cursors.at(-1)
        const rest = await takeUntil(server.watch<FeedResult>(transport, FEED, { after }), isLast)
        expect(rest.map(({ taskFeed }) => taskFeed.cursor)).toEqual(cursors.slice(i + 1))
      }
    })

    it('sends only events of tasks that match the filter', async () => {
      await using server = await openGateway({ database, providers: PROVIDERS })
      const { tasks } = await server.get<{ tasks: { feedCursor: string } }>('{ tasks { feedCursor } }')
      const after = tasks.feedCursor
      const plain = await server.generate({ ...SMALL, providers: ['quick'] })
      const elsewhere = await server.generate({ ...SMALL, providers: ['other'] })
      const dalle = await server.generate({ ...SMALL, model: 'dall-e-3', providers: ['quick'] })
      const failed = await server.generate({ prompt: '[sandbox:reject]', providers: ['quick'] })
      for (const id of [plain, elsewhere, dalle, failed]) await server.ended(id)

      // The last matching event of the log shows that all others were skipped.
      const idsOf = async (filter: object, last: string) => {
        const results = await takeUntil(
          server.watch<FeedResult>(transport, FEED, { after, filter }),
          finished(last),
        )
        return [...new Set(results.map(({ taskFeed }) => taskFeed.task.id))]
      }
      const fence = await server.generate({ ...SMALL, model: 'dall-e-3', providers: ['other'] })
      await server.ended(fence)
      expect(await idsOf({ model: 'dall-e-3' }, fence)).toEqual([dalle, fence])
      expect(await idsOf({ provider: 'other' }, fence)).toEqual([elsewhere, fence])
      expect(await idsOf({ statuses: ['FAILED'] }, failed)).toEqual([failed])
      expect(await idsOf({ provider: 'quick', statuses: ['SUCCEEDED'] }, dalle)).toEqual([plain, dalle])
    })

    it('tells when a task does not match the filter any more', async () => {
      await using server = await openGateway({ database, providers: PROVIDERS })
      const { tasks } = await server.get<{ tasks: { feedCursor: string } }>('{ tasks { feedCursor } }')
      const after = tasks.feedCursor
      const live = takeUntil(
        server.watch<FeedResult>(transport, FEED, {
          filter: { statuses: ['QUEUED', 'RUNNING'], provider: 'quick' },
        }),
        ({ taskFeed }) => taskFeed.kind === 'TaskLeftFilter' && taskFeed.task.status === 'FAILED',
      )
      await expect.poll(() => server.gateway.subscriberCount()).toBe(1)
      const elsewhere = await server.generate({ ...SMALL, providers: ['other'] })
      await server.ended(elsewhere)
      const ended = await server.generate({ ...SMALL, providers: ['quick'] })
      await server.ended(ended)
      const rejected = await server.generate({ prompt: '[sandbox:reject]', providers: ['quick'] })
      const results = await live
      expect(kinds(results, elsewhere)).toEqual([])
      expect(results.at(-1)?.taskFeed.task.id).toBe(rejected)
      const left = results.filter(({ taskFeed }) => taskFeed.kind === 'TaskLeftFilter')
      expect(left.map(({ taskFeed }) => taskFeed.task.id)).toContain(ended)
      expect(left.map(({ taskFeed }) => taskFeed.task.status)).not.toContain('RUNNING')

      // Nothing tells that a task has left a filter of final states, or one without states.
      for (const filter of [{ statuses: ['CANCELED', 'FAILED'] }, { provider: 'quick' }]) {
        const all = await takeUntil(
          server.watch<FeedResult>(transport, FEED, { after, filter }),
          finished(rejected),
        )
        expect(all.map(({ taskFeed }) => taskFeed.kind)).not.toContain('TaskLeftFilter')
      }
    })

    it('starts with snapshots of the open tasks that match the filter', async () => {
      await using server = await openGateway({ database, providers: PROVIDERS })
      await server.generate({ prompt: '[sandbox:stall]', providers: ['quick'] })
      const wanted = await server.generate({
        prompt: '[sandbox:stall]',
        model: 'dall-e-3',
        providers: ['other'],
      })
      for (const filter of [{ model: 'dall-e-3' }, { provider: 'other' }]) {
        const [first] = await takeUntil(server.watch<FeedResult>(transport, FEED, { filter }), () => true)
        expect(first?.taskFeed).toMatchObject({ kind: 'TaskSnapshot', task: { id: wanted } })
      }
    })

    it('sends snapshots of the open tasks to a client that resumes after deleted events', async () => {
      await using server = await openGateway({ database, providers: PROVIDERS })
      const { tasks } = await server.get<{ tasks: { feedCursor: string } }>('{ tasks { feedCursor } }')
      const ended = [await server.generate(SMALL), await server.generate(SMALL)]
      for (const id of ended) await server.ended(id)
      await execute(server.place, `delete from task_events where task_id = '${ended[0]}'`)
      const after = tasks.feedCursor
      const back = async (filter: object) => {
        const [one] = await takeUntil(
          server.watch<FeedResult>(transport, FEED, { after, filter }),
          () => true,
        )
        return one?.taskFeed
      }
      expect(await back({})).toMatchObject({ kind: 'TaskSnapshot', resync: true, task: { id: ended[1] } })
      const open = await server.generate({ prompt: '[sandbox:stall]', providers: ['other'] })
      const behind = await back({})
      expect(behind).toMatchObject({ kind: 'TaskSnapshot', resync: true, task: { id: open } })
      expect(await back({ provider: 'quick' })).toMatchObject({ resync: true, task: { id: ended[1] } })
      const next = await server.generate(SMALL)
      const rest = await takeUntil(
        server.watch<FeedResult>(transport, FEED, { after: behind?.cursor }),
        finished(next),
      )
      expect(kinds(rest, next).filter((kind) => kind !== 'TaskProgressed')).toEqual(WHOLE_LIFE)
    })

    it('refuses the cursor of another stream', async () => {
      await using server = await openGateway({ database, providers: PROVIDERS })
      const id = await server.generate(SMALL)
      await server.ended(id)
      const { tasks } = await server.get<{ tasks: { feedCursor: string } }>('{ tasks { feedCursor } }')
      const [, project] = Buffer.from(tasks.feedCursor, 'base64url').toString().split(':')
      const ahead = encodeCursor('feed', project!, 1_000_000)
      for (const after of [
        'garbage',
        encodeCursor('task', id, 1),
        encodeCursor('feed', 'prj_other', 1),
        ahead,
      ]) {
        const errors = await refusalOf(server.watch(transport, FEED, { after }))
        expect(errors?.[0]?.extensions).toEqual({ code: 'CURSOR_INVALID', field: 'after' })
      }
    })
  })
})
