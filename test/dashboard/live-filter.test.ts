// The filter of Live decides about a task as the server does.
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ListTasks, type LiveTask } from '../../dashboard/src/api/generated.ts'
import {
  matches,
  readLiveSearch,
  serverFilterOf,
  timeOf,
  type LiveFilter,
} from '../../dashboard/src/live/filter.ts'
import { openGatewayWithKeys, type GatewayWithKeys } from '../access/gateway-with-keys.ts'

const NOW = Date.parse('2026-11-30T12:00:00Z')

describe('times of an address', () => {
  it('are spans before now, days in the zone of the browser, and exact times', () => {
    expect(timeOf('2h', NOW)).toBe(NOW - 2 * 3_600_000)
    expect(timeOf('7d', NOW)).toBe(NOW - 7 * 86_400_000)
    expect(timeOf('2026-11-30', NOW)).toBe(new Date(2026, 10, 30).getTime())
    expect(timeOf('2026-11-30T10:00Z', NOW)).toBe(NOW - 2 * 3_600_000)
    for (const text of ['yesterday', '2026', '2026-13-40', '5y', ''])
      expect(timeOf(text, NOW)).toBeUndefined()
  })

  it('that are not valid are left out, as other values are', () => {
    expect(
      readLiveSearch({ from: 'soon', to: '2026-11-30', key: 'prj_1', view: 'list', size: 'xl' }),
    ).toEqual({
      to: '2026-11-30',
    })
    expect(readLiveSearch({ from: '24h', key: 'key_1', view: 'table', size: 's' })).toEqual({
      from: '24h',
      key: 'key_1',
      view: 'table',
      size: 's',
    })
  })
})

describe('a filter', () => {
  let server: GatewayWithKeys
  let keys: string[]
  let tasks: LiveTask[]
  beforeAll(async () => {
    server = await openGatewayWithKeys()
    const created = [await server.newKey(), await server.newKey()]
    keys = created.map(({ id }) => id)
    const prompts = [
      'A red fóx',
      'a red kite [sandbox:moderation]',
      'two foxes in snow',
      'snow on a kite, 雪の狐',
    ]
    for (const [index, prompt] of prompts.entries()) {
      const client = index === 3 ? server.operator() : server.as(created[index % 2]!.key)
      await client.ended(await client.generate({ prompt, quality: 'LOW' }))
      // The refused task puts the provider into a cooldown.
      await server
        .operator()
        .get('mutation { resumeProvider(input: { name: "sandbox" }) { provider { health } } }')
    }
    tasks = await list({})
  })
  afterAll(() => server?.[Symbol.asyncDispose]())

  const list = async (filter: LiveFilter) =>
    (
      await server.operator().get<{ tasks: { nodes: LiveTask[] } }>(ListTasks, {
        first: 100,
        filter: serverFilterOf(filter),
      })
    ).tasks.nodes

  it('accepts exactly the tasks that the server returns for it', async () => {
    const times = tasks.map(({ createdAt }) => createdAt)
    const filters = fc.record(
      {
        status: fc.subarray<LiveTask['status']>(['SUCCEEDED', 'FAILED', 'RUNNING'], { minLength: 1 }),
        op: fc.constantFrom<'GENERATE' | 'EDIT'>('GENERATE', 'EDIT'),
        model: fc.constantFrom(tasks[0]!.model, 'another'),
        key: fc.constantFrom(...keys, 'key_01NONE'),
        q: fc.constantFrom('fox', 'FÓX', 'RED', 'kite snow', 'fox*', 'fóx*', 'tree', '狐', 'snow-kite'),
        from: fc.constantFrom(...times, '1h'),
        to: fc.constantFrom(...times, '2030-01-01'),
      },
      { requiredKeys: [] },
    )
    await fc.assert(
      fc.asyncProperty(filters, async (filter) => {
        const found = await list(filter)
        expect(tasks.filter((task) => matches(task, filter)).map(({ id }) => id)).toEqual(
          found.map(({ id }) => id),
        )
      }),
      { numRuns: 60 },
    )
  })
})
