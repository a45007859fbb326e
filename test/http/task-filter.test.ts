import { randomUUID } from 'node:crypto'
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DATABASES } from '../support/database.ts'
import { openGateway, type TestGateway } from '../support/gateway.ts'

interface Task {
  id: string
  charged: string
  operation: string
  status: string
  model: string
  warnings: unknown[]
  attempts: { provider: { name: string } }[]
}

interface TaskPage {
  tasks: { nodes: Task[]; totalCount: number; pageInfo: { endCursor: string; hasNextPage: boolean } }
}

const PAGE = `query ($filter: TaskFilter, $orderBy: TaskOrder, $first: Int, $after: String) {
  tasks(filter: $filter, orderBy: $orderBy, first: $first, after: $after) {
    totalCount pageInfo { endCursor hasNextPage }
    nodes { id charged operation status model warnings { code } attempts { provider { name } } }
  }
}`

const PROVIDERS = ['one', 'two'].map((name) => ({ name, dialect: 'sandbox', durationMs: 0 }))
const INPUTS = [
  { prompt: 'A red fox in the snow', user: 'ada', metadata: [{ key: 'team', value: 'x=y' }] },
  { prompt: 'a RED waterfall', user: 'bob', providers: ['two'] },
  {
    prompt: 'water, foxes & snowmen',
    user: 'ada',
    metadata: [
      { key: 'team', value: 'x' },
      { key: 'no', value: '1' },
    ],
  },
  { prompt: '雪の中の赤い狐 fox', providers: ['two'], metadata: [{ key: 'team', value: 'x' }] },
  { prompt: 'Éclair d’été [sandbox:moderation]', user: 'ada' },
  { prompt: 'a fox, again', inputFidelity: 'HIGH' },
  { prompt: "straße it's o_o prj" },
  { prompt: '[sandbox:vanish]' },
]

describe.each(DATABASES)('a filter of tasks on %s', (database) => {
  let server: TestGateway
  let all: Task[]
  beforeAll(async () => {
    server = await openGateway({ database, providers: PROVIDERS })
    for (const input of INPUTS)
      await server.ended(await server.generate({ size: '1024x1024', idempotencyKey: randomUUID(), ...input }))
    all = (await page({})).tasks.nodes.toReversed()
  })
  afterAll(() => server[Symbol.asyncDispose]())

  const page = (variables: Record<string, unknown>) => server.get<TaskPage>(PAGE, variables)
  const found = async (filter: object) => {
    const { nodes, totalCount } = (await page({ filter })).tasks
    expect(totalCount).toBe(nodes.length)
    return nodes.map(({ id }) => all.findIndex((task) => task.id === id)).toReversed()
  }

  it.each([
    ['fox', [0, 3, 5]],
    ['FOX red', [0]],
    ['fox*', [0, 2, 3, 5]],
    ['wat*', [1, 2]],
    ['wat', []],
    ['snow* fox*', [0, 2]],
    ['狐', [3]],
    ['赤い狐', [3]],
    ['été', [4]],
    ['ete', []],
    ['STRASSE', []],
    ["straße it's", [6]],
    ['o_o', [6]],
    ['prj', [6]],
    ['"fox" OR cat', []],
    ["'fox' & !snow:*", [0]],
    ['fox (in) -the', [0]],
  ])('by the words %s', async (search, expected) => {
    expect(await found({ search })).toEqual(expected)
  })

  it.each([
    [{ users: ['ada'] }, [0, 2, 4]],
    [{ users: ['ada', 'bob', 'ada'] }, [0, 1, 2, 4]],
    [{ users: [] }, []],
    [{ metadata: [{ key: 'team', value: 'x' }] }, [2, 3]],
    [
      {
        metadata: [
          { key: 'team', value: 'x' },
          { key: 'no', value: '1' },
        ],
      },
      [2],
    ],
    [{ metadata: [] }, [0, 1, 2, 3, 4, 5, 6, 7]],
    [{ providers: ['two'] }, [1, 3]],
    [{ providers: ['two', 'one'] }, [0, 1, 2, 3, 4, 5, 6, 7]],
    [{ provider: 'two', providers: ['one'] }, []],
    [{ apiKeyIds: ['key_none', 'a\0b'] }, []],
    [{ operation: 'EDIT' }, []],
    [{ models: ['none'] }, []],
    [{ users: ['ada'], statuses: ['FAILED'] }, [4]],
    [{ users: ['ada'], search: 'fox*' }, [0, 2]],
    [{ users: ['bob', 'ada'], search: 'red' }, [0, 1]],
    [{ users: [], search: 'fox' }, []],
    [{ metadata: [{ key: 'team', value: 'x' }], operation: 'GENERATE', search: 'fox*' }, [2, 3]],
    [{ models: ['none'], search: 'fox' }, []],
    [{ providers: ['one'], search: 'fox', users: ['ada'] }, [0]],
  ])('by %o', async (filter, expected) => {
    expect(await found(filter)).toEqual(expected)
  })

  it('by charge and warnings, as the tasks have them', async () => {
    const indexesOf = (is: (task: Task) => boolean) => all.flatMap((task, i) => (is(task) ? [i] : []))
    for (const charged of ['YES', 'NO', 'UNKNOWN'])
      expect(await found({ charged: [charged] })).toEqual(indexesOf((task) => task.charged === charged))
    for (const hasWarnings of [true, false])
      expect(await found({ hasWarnings })).toEqual(
        indexesOf((task) => task.warnings.length > 0 === hasWarnings),
      )
    expect(indexesOf((task) => task.charged === 'YES').length).toBeGreaterThan(3)
    expect(indexesOf((task) => task.charged !== 'YES')).toEqual([4, 7])
    expect(all[7]).toMatchObject({ status: 'OUTCOME_UNKNOWN', charged: 'UNKNOWN' })
    expect(indexesOf((task) => task.warnings.length > 0).length).toBeGreaterThan(0)
  })

  it('has pages in each order that together are the whole list', async () => {
    const filters = [
      {},
      { search: 'fox*' },
      { users: ['ada', 'bob'] },
      { statuses: ['SUCCEEDED', 'FAILED'] },
      { hasWarnings: false, search: 'a*' },
    ]
    const orders = ['CREATED_AT_DESC', 'CREATED_AT_ASC', 'FINISHED_AT_DESC', 'FINISHED_AT_ASC']
    const some = {
      filter: fc.constantFrom(...filters.slice(0, 4)),
      orderBy: fc.constantFrom(...orders),
      first: fc.integer({ min: 1, max: 4 }),
    }
    await fc.assert(
      fc.asyncProperty(fc.record(some), async ({ first, ...list }) => {
        const whole = (await page(list)).tasks
        const ids: string[] = []
        for (let after: string | undefined, more = true; more;) {
          const { nodes, pageInfo } = (await page({ ...list, first, after })).tasks
          ids.push(...nodes.map(({ id }) => id))
          after = pageInfo.endCursor
          more = pageInfo.hasNextPage
        }
        expect(ids).toEqual(whole.nodes.map(({ id }) => id))
        expect(whole.totalCount).toBe(ids.length)
        const order = ids.map((id) => all.findIndex((task) => task.id === id))
        // They ended one after another.
        const isDescending = list.orderBy.endsWith('DESC')
        expect(order).toEqual(order.toSorted((a, b) => (isDescending ? b - a : a - b)))
        expect(ids.length).toBeGreaterThan(2)
      }),
      { numRuns: 20 },
    )
  })

  it.each([
    ['', 'filter.search has no words. Use letters or digits.'],
    [' *…', 'filter.search has no words. Use letters or digits.'],
    ['a fo*', 'filter.search has the prefix fo*; the minimum is 3 letters.'],
    [
      'x '.repeat(21).replaceAll(/x/g, () => randomUUID().slice(0, 5)),
      'filter.search has 21 words; the maximum is 20.',
    ],
  ])('refuses the search "%s"', async (search, message) => {
    const { errors } = await server.execute(PAGE, { filter: { search } })
    expect(errors?.[0]).toMatchObject({
      message,
      extensions: { code: 'BAD_USER_INPUT', field: 'filter.search' },
    })
  })

  it('selects the events of a feed', async () => {
    const feed = `subscription ($filter: TaskFilter) { taskFeed(filter: $filter) { kind: __typename task { id } } }`
    const filter = { search: 'lynx', users: ['eve'], charged: ['YES'] }
    const ids: string[] = []
    const watched = server.watch<{ taskFeed: { task: { id: string } } }>('WebSocket', feed, { filter })
    const first = watched.next()
    await expect.poll(() => server.gateway.subscriberCount()).toBe(1)
    for (const [prompt, user] of [
      ['a lynx', 'ada'],
      ['a link', 'eve'],
      ['a Lynx', 'eve'],
    ]) {
      ids.push(await server.generate({ prompt, user }))
      await server.ended(ids.at(-1)!)
    }
    const { value } = await first
    await watched.return?.()
    expect(value.data?.taskFeed.task.id).toBe(ids[2])
  })
})
