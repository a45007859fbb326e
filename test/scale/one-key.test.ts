import { describe, expect, it, onTestFinished } from 'vitest'
import { newPlace } from '../support/database.ts'
import { sendWithOneKey } from './one-key.ts'

/** `npm run one-key` sends 10,000 over 100 connections. */
const LOAD = { requests: 1000, connections: 20 }

describe.each([
  { database: 'sqlite', processes: 1 },
  { database: 'postgresql', processes: 2 },
] as const)('a thousand requests with one key to $processes on $database', ({ database, processes }) => {
  it('make one task and one paid call, and all return its id', { timeout: 180_000 }, async () => {
    const place = await newPlace(database)
    onTestFinished(() => place.remove())
    const { ids, refusals, ...rest } = await sendWithOneKey({ place, processes, ...LOAD })
    expect([...refusals.keys()].slice(0, 3)).toEqual([])
    expect([...ids.values()]).toEqual([LOAD.requests])
    expect(rest).toMatchObject({ tasks: 1, calls: 1, status: 'SUCCEEDED', discrepancies: [] })
  })
})
