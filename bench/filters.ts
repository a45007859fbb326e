// How long each filter of tasks takes over a large database, compared with the unfiltered list.
import { rm } from 'node:fs/promises'
import { DEFAULT_PROJECT } from '../src/db/access/projects.ts'
import type { Database } from '../src/db/connection/database.ts'
import { openDatabase } from '../src/db/open.ts'
import type { TaskFilter } from '../src/db/tasks/filter.ts'
import { listTasks, queriesFor, type TaskOrder } from '../src/db/tasks/list.ts'
import { readSearch } from '../src/db/tasks/words.ts'
import { createLog } from '../src/log.ts'
import { startPostgresql } from '../test/support/postgresql-server.ts'
import { clock } from './child.ts'
import { LIMIT_MS, measureCombinations } from './combinations.ts'
import { DAY_MS, FROM } from './days.ts'
import { fillOthersOnPostgresql, fillOthersOnSqlite, fillPostgresql, fillSqlite } from './filter-rows.ts'
import { alternate, compare, type Sample } from './measure.ts'
import { otherLists } from './other-lists.ts'
import { newFolder } from './report-rows.ts'
import type { Section } from './table.ts'

const ROUNDS = 9
const PAGE = { limit: 51 }

const NEWEST: TaskOrder = { field: 'CREATED_AT', descending: true }
const OLDEST: TaskOrder = { field: 'CREATED_AT', descending: false }
const BY_END: TaskOrder = { field: 'FINISHED_AT', descending: true }

const search = (text: string) => ({ search: readSearch(text) })
const team = (number: number) => ({ metadata: [{ key: 'team', value: `team-${number}` }] })
const KEY = `key_${'7'.padStart(26, '0')}`

export const LISTS: Readonly<Record<string, [filter: TaskFilter, order?: TaskOrder]>> = {
  'a word of all prompts': [search('fox')],
  'two words, of a fifth': [search('fox common3')],
  'two words of a fifth each, never together': [search('common3 common4')],
  'a word of a thousandth': [search('rare77')],
  'a word of one prompt': [search('word12345')],
  'a word of none': [search('lynx')],
  'the prefix of a fifth and more': [search('common*')],
  'the prefix of a thousand words': [search('rare*')],
  'the prefix of a million words': [search('word*')],
  'a word of all, in the first month': [{ ...search('fox'), createdTo: FROM + 30 * DAY_MS }],
  'a word of a fifth and a user': [{ ...search('common2'), users: ['user-77'] }],
  'a user': [{ users: ['user-77'] }],
  'three users': [{ users: ['user-1', 'user-2', 'user-none'] }],
  'a key': [{ apiKeyIds: [KEY] }],
  'a key, oldest first': [{ apiKeyIds: [KEY] }, OLDEST],
  'a label': [team(3)],
  'a label that none has': [team(99)],
  'charged UNKNOWN': [{ charged: ['UNKNOWN'] }],
  'charged YES or NO': [{ charged: ['YES', 'NO'] }],
  'with warnings': [{ hasWarnings: true }],
  'without warnings': [{ hasWarnings: false }],
  'operation EDIT': [{ operation: 'EDIT' }],
  'a provider': [{ providers: ['provider-3'] }],
  'a provider without tasks': [{ providers: ['none'] }],
  'two models': [{ models: ['model-1', 'model-2'] }],
  'a model without tasks': [{ models: ['none'] }],
  'two states': [{ statuses: ['FAILED', 'CANCELED'] }],
  'last finished': [{}, BY_END],
  'last failed': [{ statuses: ['FAILED'] }, BY_END],
  'a user, last finished': [{ users: ['user-77'] }, BY_END],
  'a label, last finished': [team(3), BY_END],
  'a word of a thousandth, last finished': [search('rare77'), BY_END],
  'a word of all, last finished': [search('fox'), BY_END],
  'a provider, in a state of a hundredth': [{ providers: ['provider-3'], statuses: ['OUTCOME_UNKNOWN'] }],
  'a word of a fifth, warnings of a provider': [
    { ...search('common2'), hasWarnings: true, providers: ['provider-1'] },
  ],
  'a user and a state': [{ users: ['user-77'], statuses: ['FAILED'] }],
  'a label, a provider and a state': [{ ...team(3), providers: ['provider-2'], statuses: ['FAILED'] }],
  'warnings of a provider, uncharged': [{ hasWarnings: true, providers: ['provider-1'], charged: ['NO'] }],
}

/** Over `millions` of tasks. */
export async function filters(kind: 'SQLite' | 'PostgreSQL', millions: number): Promise<Section> {
  const tasks = Math.round(millions * 1_000_000)
  const server = kind === 'PostgreSQL' ? await startPostgresql() : undefined
  const dataDir = await newFolder()
  const databaseUrl = server?.url ?? null
  const open = () => openDatabase({ databaseUrl, dataDir, onWakeUp: () => {}, log: createLog('silent') })
  await (await open()).close()
  if (databaseUrl === null) fillSqlite(dataDir, tasks)
  else await fillPostgresql(databaseUrl, tasks)
  const db = await open()
  try {
    const rows = []
    for (const [what, [filter, order = NEWEST]] of Object.entries(LISTS)) {
      const rounds = await alternate(ROUNDS, {
        ours: () => timed(() => list(db, filter, order)),
        reference: () => timed(() => list(db, {}, NEWEST)),
      })
      rows.push({ what, unit: 'ms', against: 'the list without a filter', figures: compare(rounds, 'ms') })
    }
    if (databaseUrl === null) fillOthersOnSqlite(dataDir, tasks)
    else await fillOthersOnPostgresql(databaseUrl, tasks)
    for (const [what, read] of Object.entries(otherLists(db, tasks))) {
      const rounds = await alternate(ROUNDS, {
        ours: () => timed(read),
        reference: () => timed(() => list(db, {}, NEWEST)),
      })
      rows.push({ what, unit: 'ms', against: 'the list without a filter', figures: compare(rounds, 'ms') })
    }
    const { lists, slow, slowestMs } = await measureCombinations(db)
    const notes = [
      `Pairs and triples of conditions in both orders: ${slow.length} of ${lists} lists take over ${LIMIT_MS} ms, the slowest ${slowestMs.toFixed(0)} ms.`,
      ...slow,
    ]
    return { title: `filters · pages of 51 of ${millions} M tasks, on ${kind}`, notes, rows }
  } finally {
    await db.close()
    await server?.stop()
    await rm(dataDir, { recursive: true, force: true })
  }
}

function list(db: Database, filter: TaskFilter, order: TaskOrder): Promise<unknown> {
  return listTasks(queriesFor(db, filter, order), DEFAULT_PROJECT, filter, PAGE, order)
}

async function timed(read: () => Promise<unknown>): Promise<Sample> {
  const start = clock()
  await read()
  return { ms: clock() - start }
}
