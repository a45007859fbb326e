import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { countProjects, insertProject, listAllProjects, listProjects } from '../../src/db/access/projects.ts'
import type { Database } from '../../src/db/connection/database.ts'
import { openDatabase } from '../../src/db/open.ts'
import type { ProjectRow } from '../../src/db/tables/tables.ts'
import { newId } from '../../src/ids.ts'
import { createLog } from '../../src/log.ts'
import { DATABASES, newPlace, type Place } from '../support/database.ts'

const positionOf = ({ createdAt, id }: ProjectRow) => ({ at: createdAt, id })

describe.each(DATABASES)('a range of rows on %s', (kind) => {
  let place: Place
  let db: Database
  let all: ProjectRow[]
  beforeAll(async () => {
    place = await newPlace(kind)
    db = await openDatabase({ ...place, onWakeUp: () => {}, log: createLog('silent') })
    // Several rows of each time: their ids decide.
    for (let i = 0; i < 20; i++) {
      const row = { id: newId('prj', i), name: `project ${i}`, createdAt: 1_000 + (i % 4) }
      await db.tx((q) => insertProject(q, row))
    }
    all = await listAllProjects(db.read)
  })
  afterAll(async () => {
    await db.close()
    await place.remove()
  })

  it('is the part of the list between its two positions, from either end', async () => {
    const index = fc.option(fc.nat({ max: 20 }), { nil: undefined })
    const range = fc.record({
      after: index,
      before: index,
      limit: fc.integer({ min: 1, max: 30 }),
      fromEnd: fc.boolean(),
    })
    await fc.assert(
      fc.asyncProperty(range, async ({ after, before, limit, fromEnd }) => {
        const between = all.slice(after === undefined ? 0 : after + 1, before)
        const rows = await listProjects(db.read, {
          limit,
          fromEnd,
          after: after === undefined ? undefined : positionOf(all[after]!),
          before: before === undefined ? undefined : positionOf(all[before]!),
        })
        expect(rows).toEqual(fromEnd ? between.slice(-limit) : between.slice(0, limit))
      }),
      { numRuns: 60 },
    )
    expect(await countProjects(db.read)).toBe(all.length)
  })
})
