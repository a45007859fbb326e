// Pairs and triples of the conditions of a list, each with a value that many tasks have and one that few have.
import { DEFAULT_PROJECT } from '../src/db/access/projects.ts'
import type { Database } from '../src/db/connection/database.ts'
import type { TaskFilter } from '../src/db/tasks/filter.ts'
import { listTasks, queriesFor, type TaskOrder } from '../src/db/tasks/list.ts'
import { readSearch } from '../src/db/tasks/words.ts'
import { clock } from './child.ts'
import { DAY_MS, FROM, TO } from './days.ts'

const VALUES: readonly (readonly TaskFilter[])[] = [
  [{ search: readSearch('fox') }, { search: readSearch('common2') }, { search: readSearch('rare77') }],
  [{ users: ['user-77'] }, { users: Array.from({ length: 50 }, (_, i) => `user-${100 * i}`) }],
  [{ apiKeyIds: [`key_${'7'.padStart(26, '0')}`] }, { apiKeyIds: ['key_none'] }],
  [{ metadata: [{ key: 'team', value: 'team-3' }] }, { metadata: [{ key: 'team', value: 'team-99' }] }],
  [{ statuses: ['SUCCEEDED'] }, { statuses: ['FAILED', 'OUTCOME_UNKNOWN'] }],
  [{ operation: 'GENERATE' }, { operation: 'EDIT' }],
  [{ models: ['model-1', 'model-2'] }, { models: ['none'] }],
  [{ providers: ['provider-3'] }, { providers: ['none'] }],
  [{ charged: ['YES', 'UNKNOWN'] }, { charged: ['NO'] }],
  [{ hasWarnings: false }, { hasWarnings: true }],
  [{ favorite: false }, { favorite: true }],
  [
    { createdFrom: FROM + 90 * DAY_MS },
    { createdTo: FROM + 30 * DAY_MS },
    { createdFrom: TO - 30 * DAY_MS, createdTo: TO - 29 * DAY_MS },
  ],
]

/** Every pair and triple of conditions. */
export function combinations(): TaskFilter[] {
  return VALUES.flatMap((first, a) =>
    VALUES.slice(a + 1).flatMap((second, b) => [
      ...first.flatMap((one) => second.map((two) => ({ ...one, ...two }))),
      ...VALUES.slice(a + b + 2).flatMap((third) =>
        first.flatMap((one) => second.flatMap((two) => third.map((three) => ({ ...one, ...two, ...three })))),
      ),
    ]),
  )
}

export const LIMIT_MS = 30
const PAGE = { limit: 51 }
/** Of slow lists: other load of the machine delays single rounds. */
const ROUNDS = 6

/** Each list in both orders: how many there are, and those that take longer than the limit in each round. */
export async function measureCombinations(
  db: Database,
  filters = combinations(),
): Promise<{ lists: number; slow: string[]; slowestMs: number }> {
  const slow: string[] = []
  let [lists, slowestMs] = [0, 0]
  for (const [i, filter] of filters.entries())
    for (const field of ['CREATED_AT', 'FINISHED_AT'] as const) {
      const order = { field, descending: i % 2 === 0 }
      lists++
      let ms = Infinity
      for (let round = 0; round < ROUNDS && ms > LIMIT_MS; round++)
        ms = Math.min(ms, await msOf(db, filter, order))
      slowestMs = Math.max(slowestMs, ms)
      if (ms > LIMIT_MS) slow.push(`${ms.toFixed(0)} ms  ${nameOf(filter, order)}`)
    }
  return { lists, slow, slowestMs }
}

/** On SQLite the time of the processors, in all threads: readers have a low priority. */
async function msOf(db: Database, filter: TaskFilter, order: TaskOrder): Promise<number> {
  const [start, before] = [clock(), process.cpuUsage()]
  await listTasks(queriesFor(db, filter, order), DEFAULT_PROJECT, filter, PAGE, order)
  const wallMs = clock() - start
  if (db.dialect === 'postgresql') return wallMs
  const { user, system } = process.cpuUsage(before)
  return Math.min(wallMs, (user + system) / 1000)
}

function nameOf(filter: TaskFilter, { field, descending }: TaskOrder): string {
  const text = JSON.stringify(filter)
  return `${text.length > 200 ? `${text.slice(0, 200)}…` : text} ${field} ${descending ? 'descending' : 'ascending'}`
}
