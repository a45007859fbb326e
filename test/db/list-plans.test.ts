import BetterSqlite3 from 'better-sqlite3'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { FROM, TO } from '../../bench/days.ts'
import { fillOthersOnPostgresql, fillPostgresql, fillSqlite } from '../../bench/filter-rows.ts'
import { LISTS } from '../../bench/filters.ts'
import { otherLists } from '../../bench/other-lists.ts'
import { DEFAULT_PROJECT } from '../../src/db/access/projects.ts'
import type { Database } from '../../src/db/connection/database.ts'
import { openDatabase } from '../../src/db/open.ts'
import { listTasks, NEWEST_FIRST } from '../../src/db/tasks/list.ts'
import { readSearch } from '../../src/db/tasks/words.ts'
import { createLog } from '../../src/log.ts'
import { newPlace, type Place } from '../support/database.ts'

const ROWS = 12_000
const PAGE = { limit: 51 }

let place: Place
let db: Database
const open = async (kind: 'sqlite' | 'postgresql') => {
  place = await newPlace(kind)
  db = await openDatabase({ ...place, onWakeUp: () => {}, log: createLog('silent') })
}
const close = async () => {
  await db.close()
  await place.remove()
}

interface Plan {
  'Node Type': string
  'Relation Name'?: string
  'Actual Rows': number
  'Actual Loops': number
  'Rows Removed by Filter'?: number
  Plans?: Plan[]
}

/** Rows read from tables, and whole tables that were read. */
function readsOf(plan: Plan): { rows: number; scans: string[] } {
  const parts = (plan.Plans ?? []).map(readsOf)
  const own = plan['Relation Name']
    ? (plan['Actual Rows'] + (plan['Rows Removed by Filter'] ?? 0)) * plan['Actual Loops']
    : 0
  const isScan = plan['Node Type'] === 'Seq Scan' && own > MAX_SMALL
  return {
    rows: own + parts.reduce((sum, { rows }) => sum + rows, 0),
    scans: [...(isScan ? [plan['Relation Name']!] : []), ...parts.flatMap(({ scans }) => scans)],
  }
}

/** Tables of classes and webhooks are read as a whole. */
const MAX_SMALL = 500
/** Of tables, for a page of 51: what is looked up or sorted does not grow with the tasks. */
const [MAX_READ, MAX_READ_OF_OTHERS] = [9_000, 1_500]

describe('on PostgreSQL', () => {
  let client: Client
  // Connections keep the function that they were created with.
  const query = vi.spyOn(Client.prototype, 'query')
  beforeAll(async () => {
    await open('postgresql')
    await fillPostgresql(place.databaseUrl!, ROWS)
    await fillOthersOnPostgresql(place.databaseUrl!, ROWS)
    client = new Client(place.databaseUrl!)
    await client.connect()
  })
  afterAll(async () => {
    query.mockRestore()
    await client.end()
    await close()
  })

  /** What the statements of `work` read. */
  async function readsIn(work: () => Promise<unknown>): Promise<{ rows: number; scans: string[] }> {
    query.mockClear()
    await work()
    const statements = query.mock.calls.map(([config, values]) => [config, values] as unknown[])
    const all = { rows: 0, scans: [] as string[] }
    for (const [config, values] of statements as [string | { text: string }, unknown[]][]) {
      const text = typeof config === 'string' ? config : config.text
      if (!/^\s*(?:select|with)/i.test(text)) continue
      const { rows } = await client.query<{ 'QUERY PLAN': { Plan: Plan }[] }>(
        `explain (analyze, timing off, format json) ${text}`,
        values,
      )
      const reads = readsOf(rows[0]!['QUERY PLAN'][0]!.Plan)
      all.rows += reads.rows
      all.scans.push(...reads.scans.map((table) => `${table}: ${text}`))
    }
    return all
  }

  it.each(Object.entries(LISTS))('%s reads no whole table', async (_, [filter, order = NEWEST_FIRST]) => {
    const { rows, scans } = await readsIn(() => listTasks(db.read, DEFAULT_PROJECT, filter, PAGE, order))
    expect(scans).toEqual([])
    expect(rows).toBeLessThan(MAX_READ)
  })

  it('the pages of the other lists read little more than their rows', async () => {
    const { read } = db
    const lists = Object.entries(otherLists({ read, reports: read }, ROWS))
    for (const [name, list] of lists.filter(([one]) => !one.endsWith('totalCount'))) {
      const { rows, scans } = await readsIn(list)
      expect({ name, scans, isBounded: rows < MAX_READ_OF_OTHERS }).toEqual({
        name,
        scans: [],
        isBounded: true,
      })
    }
  })
})

// A bound that is not an integer is compared with each match: SQLite then reads them all.
it('SQLite seeks the position of a page in the full-text index', async () => {
  // oxlint-disable-next-line typescript/unbound-method -- called with its connection below
  const { prepare } = BetterSqlite3.prototype
  let seen = 0
  const counted = vi.spyOn(BetterSqlite3.prototype, 'prepare').mockImplementation(function (
    this: BetterSqlite3.Database,
    text: string,
  ) {
    this.function('seen', (id: number) => {
      seen += 1
      return id
    })
    const isSeen = 'seen(task_words_index.rowid) > 0 and task_words_index match'
    return prepare.call(this, text.replaceAll('task_words_index match', isSeen))
  })
  await open('sqlite')
  fillSqlite(place.dataDir, 2_000)
  const filter = { search: readSearch('fox') }
  const periods = [{ createdFrom: TO - (TO - FROM) / 100 }, { createdTo: FROM + (TO - FROM) / 100 }]
  const counts: number[][] = []
  for (const period of [{}, ...periods]) {
    seen = 0
    const rows = await listTasks(db.read, DEFAULT_PROJECT, { ...filter, ...period }, { limit: 3_000 })
    counts.push([rows.length, seen])
  }
  const after = { at: FROM + (TO - FROM) / 100, id: `task_${'20'.padStart(26, '0')}` }
  seen = 0
  const rows = await listTasks(db.read, DEFAULT_PROJECT, filter, { limit: 3_000, after })
  counts.push([rows.length, seen])
  counted.mockRestore()
  await close()
  expect(counts).toEqual([
    [2_000, 2_000],
    [20, 20],
    [20, 20],
    // The index includes a bound.
    [20, 21],
  ])
})
