import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Result } from '../support/client.ts'
import { DATABASES } from '../support/database.ts'
import { openGateway, type TestGateway } from '../support/gateway.ts'
import { inspectDatabase } from '../../src/db/connection/inspect.ts'

interface Task {
  id: string
  revision: number
  favorite: boolean
  metadata: { key: string; value: string }[]
}

const UPDATE = `mutation ($input: UpdateTaskInput!) { updateTask(input: $input) { task { id revision favorite metadata { key value } } } }`

const labels = (values: Record<string, string>) =>
  Object.entries(values).map(([key, value]) => ({ key, value }))

const refusalOf = ({ errors }: Result<unknown>) => [
  errors?.[0]?.extensions?.['code'],
  errors?.[0]?.extensions?.['field'],
]

describe.each(DATABASES)('updateTask on %s', (database) => {
  let server: TestGateway
  beforeAll(async () => {
    server = await openGateway({ database })
  })
  afterAll(() => server[Symbol.asyncDispose]())

  async function made(metadata: Record<string, string> = {}): Promise<string> {
    const id = await server.generate({ prompt: 'a fox [sandbox:reject]', metadata: labels(metadata) })
    await server.ended(id)
    return id
  }
  const update = async (input: object) =>
    (await server.get<{ updateTask: { task: Task } }>(UPDATE, { input })).updateTask.task
  async function found(filter: object): Promise<string[]> {
    const { tasks } = await server.get<{ tasks: { nodes: { id: string }[]; totalCount: number } }>(
      'query ($filter: TaskFilter) { tasks(filter: $filter) { totalCount nodes { id } } }',
      { filter },
    )
    expect(tasks.totalCount).toBe(tasks.nodes.length)
    return tasks.nodes.map(({ id }) => id)
  }

  const refused = async (input: object) => refusalOf(await server.execute(UPDATE, { input }))

  it('merges and replaces labels, which filters and searches find at once', async () => {
    const id = await made({ team: 'a', area: 'x' })
    const merged = await update({
      id,
      mergeMetadata: [{ key: 'team', value: 'b=c' }, { key: 'area', value: null }, ...labels({ phase: '1' })],
    })
    expect(new Map(merged.metadata.map(({ key, value }) => [key, value]))).toEqual(
      new Map([
        ['team', 'b=c'],
        ['phase', '1'],
      ]),
    )
    expect(await found({ metadata: labels({ team: 'b=c', phase: '1' }) })).toEqual([id])
    expect(await found({ search: 'fox', metadata: labels({ team: 'b=c' }) })).toEqual([id])
    for (const old of [{ team: 'a' }, { area: 'x' }]) {
      expect(await found({ metadata: labels(old) })).toEqual([])
      expect(await found({ search: 'fox', metadata: labels(old) })).toEqual([])
    }
    const replaced = await update({ id, metadata: labels({ owner: 'ada' }) })
    expect(replaced.metadata).toEqual(labels({ owner: 'ada' }))
    expect(await found({ metadata: labels({ phase: '1' }) })).toEqual([])
    expect((await update({ id, metadata: [] })).metadata).toEqual([])
  })

  it('marks favorites, which a filter finds in order and beside other conditions', async () => {
    const [first, second] = [await made(), await made({ team: 'favorites' })]
    const others = (await found({})).length
    for (const id of [first, second]) expect((await update({ id, favorite: true })).favorite).toBe(true)
    expect(await found({ favorite: true })).toEqual([second, first])
    expect(await found({ favorite: true, statuses: ['FAILED'], search: 'fox' })).toEqual([second, first])
    expect(await found({ favorite: true, metadata: labels({ team: 'favorites' }) })).toEqual([second])
    expect(await found({ favorite: false, metadata: labels({ team: 'favorites' }) })).toEqual([])
    expect(await found({ favorite: false })).toHaveLength(others - 2)
    expect(await found({ favorite: false, search: 'fox' })).toHaveLength(others - 2)
    await update({ id: first, favorite: false })
    expect(await found({ favorite: true })).toEqual([second])
    await server.get('mutation ($id: ID!) { deleteTask(input: { id: $id }) { deletedTaskId } }', {
      id: second,
    })
    expect(await found({ favorite: true })).toEqual([])
    const { result } = await inspectDatabase(server.place, (q) => q.sql.select().from(q.tables.taskLabels))
    expect(result.filter(({ taskId }) => taskId === second)).toEqual([])
  })

  it('raises the revision once for each change, leaves absent fields, and keeps concurrent changes', async () => {
    const id = await made({ team: 'a' })
    const { revision, metadata } = await update({ id })
    expect(metadata).toEqual(labels({ team: 'a' }))
    expect(await update({ id, favorite: true, metadata: null })).toMatchObject({
      revision: revision + 1,
      metadata,
    })
    expect(await update({ id, favorite: true, metadata })).toMatchObject({ revision: revision + 1 })
    const keys = ['a', 'b', 'c', 'd', 'e', 'f']
    await Promise.all(keys.map((key) => update({ id, mergeMetadata: [{ key, value: '1' }] })))
    const after = await update({ id })
    expect(after.metadata.map(({ key }) => key).toSorted()).toEqual([...keys, 'team'])
    expect(after.revision).toBe(revision + 1 + keys.length)
  })

  it('is refused for too many labels, for both kinds of change, and for an unknown task', async () => {
    const id = await made(Object.fromEntries(Array.from({ length: 16 }, (_, i) => [`k${i}`, 'v'])))
    expect(await refused({ id, mergeMetadata: labels({ more: 'v' }) })).toEqual([
      'BAD_USER_INPUT',
      'mergeMetadata',
    ])
    expect(await refused({ id, metadata: [], mergeMetadata: [] })).toEqual([
      'BAD_USER_INPUT',
      'mergeMetadata',
    ])
    expect(await refused({ id, metadata: labels({ 'a b': 'v' }) })).toEqual([
      'BAD_USER_INPUT',
      'metadata.0.key',
    ])
    expect(await refused({ id: 'task_none', favorite: true })).toEqual(['NOT_FOUND', 'id'])
  })

  it('does not change what an idempotency key returns', async () => {
    const input = {
      prompt: 'an owl [sandbox:reject]',
      idempotencyKey: 'labels',
      metadata: labels({ team: 'a' }),
    }
    const id = await server.generate(input)
    await update({ id, metadata: labels({ team: 'b' }) })
    expect(await server.generate(input)).toBe(id)
  })
})
