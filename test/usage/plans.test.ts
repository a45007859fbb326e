import BetterSqlite3 from 'better-sqlite3'
import { expect, it, vi } from 'vitest'
import { openDatabase } from '../../src/db/open.ts'
import { DEFAULT_PROJECT } from '../../src/db/access/projects.ts'
import type { UsageQuery } from '../../src/engine/usage/query.ts'
import { reportUsage } from '../../src/engine/usage/report.ts'
import { createLog } from '../../src/log.ts'
import { newPlace } from '../support/database.ts'

const [FROM, TO] = [Date.UTC(2026, 9, 1) + 1, Date.UTC(2026, 10, 1) + 1]

const QUERIES: Partial<UsageQuery>[] = [
  { groupBy: ['DAY', 'MODEL'] },
  { groupBy: ['DAY', 'MODEL'], timeZone: 'Europe/Berlin' },
  { groupBy: ['SIZE'], filter: { statuses: ['SUCCEEDED'] } },
]

// A report reads only rows of its period: days, quarter hours, attempts and their tasks.
it.each([
  ['one project', DEFAULT_PROJECT],
  ['all projects', null],
])('a report on %s scans no table', async (_, projectId) => {
  const place = await newPlace('sqlite')
  const prepare = vi.spyOn(BetterSqlite3.prototype, 'prepare')
  const db = await openDatabase({ ...place, onWakeUp: () => {}, log: createLog('silent') })
  prepare.mockClear()
  const base = { projectId, from: FROM, to: TO, groupBy: [], filter: {}, timeZone: 'UTC', metadataKey: null }
  for (const query of QUERIES) await reportUsage(db.read, { ...base, ...query }, TO)
  const statements = new Set(prepare.mock.calls.map(([text]) => text))
  prepare.mockRestore()
  await db.close()

  const plain = new BetterSqlite3(`${place.dataDir}/darkroom.db`, { readonly: true })
  const steps = [...statements].flatMap((text) =>
    plain
      .prepare<unknown[], { detail: string }>(`explain query plan ${text}`)
      .all(...Array.from({ length: (text.match(/\?/g) ?? []).length }, () => null))
      .map(({ detail }) => detail),
  )
  plain.close()
  await place.remove()
  expect(steps.filter((step) => /^SCAN (?!projects)/.test(step))).toEqual([])
  const searched = new Set(steps.flatMap((step) => /^SEARCH (\w+)/.exec(step)?.[1] ?? []))
  for (const table of ['usage_days', 'usage_quarter_hours', 'attempts', 'tasks'])
    expect(searched).toContain(table)
})
