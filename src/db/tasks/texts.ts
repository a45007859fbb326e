// Tasks by what they were created with: the label of one group, or words and labels in the full-text index.
import { and, eq, sql, type AnyColumn, type SQL } from 'drizzle-orm'
import type { Queries } from '../connection/database.ts'
import { seek, type PageRange, type Position } from '../connection/keyset.ts'
import { isCreated, labelGroups, type TaskFilter } from './filter.ts'
import { isOneOf, rowsOf, readRanges, type Ranges } from '../connection/ranges.ts'
import { hasWords, seqAt, seqOfTask, timeOfSeq, type SearchWord } from './words.ts'

export interface Texts {
  /** Without the project and the period: for one row at a time. */
  taskId: AnyColumn
  from: SQL
  where: SQL | undefined
  /** Whether the index has the operation and the models too. */
  isWithRequest: boolean
  /** The first tasks of a list by creation. */
  read: (range: PageRange, descending: boolean) => Promise<Position[]>
  /** Null if at most `MAX_SORTED` tasks match, as far as a sample near the start of the list shows; else when the first
   * and the last were created, as far as known. */
  periodOfMany: (start: Position | undefined, isFalling: boolean) => Promise<Period | null>
  count: () => Promise<number>
}

type Period = Pick<TaskFilter, 'createdFrom' | 'createdTo'>

/**
 * So many tasks are all read and sorted. Of more, which are at least one in 150 of a million, a page is found among the
 * first of other conditions.
 */
export const MAX_SORTED = 7_000

/** Undefined if the filter has no such condition. */
export function textsOf(q: Queries, projectId: string, filter: TaskFilter): Texts | undefined {
  const groups = labelGroups(filter)
  const [labels] = groups
  if (filter.search ?? groups[1]) return byWords(q, projectId, filter, filter.search ?? [], groups)
  return labels && byLabel(q, projectId, filter, labels)
}

function byLabel(q: Queries, projectId: string, filter: TaskFilter, labels: string[]): Texts {
  const { taskLabels } = q.tables
  const { createdAt: at, taskId: id, label: key } = taskLabels
  const from = sql`${taskLabels}`
  const isOfProject = eq(taskLabels.projectId, projectId)
  const ranges: Ranges = {
    from,
    key,
    keys: labels,
    at,
    id,
    period: { from: filter.createdFrom, to: filter.createdTo },
    isIn: isOfProject,
  }
  const where = and(isOfProject, isCreated(at, filter), isOneOf(q, key, labels))
  return {
    taskId: id,
    from,
    where,
    isWithRequest: false,
    read: (range, descending) => readRanges(q, ranges, descending, range),
    async periodOfMany() {
      if ((await countOf(q, from, where, MAX_SORTED + 1)) <= MAX_SORTED) return null
      const isOfOne = and(isOfProject, sql`${key} = one.value`, isCreated(at, filter))
      const end = (direction: string) =>
        sql`(select ${at} from ${from} where ${isOfOne} order by ${at} ${sql.raw(direction)} limit 1)`
      const [row] = await q.sql
        .select({ first: sql`min(first)`.mapWith(Number), last: sql`max(last)`.mapWith(Number) })
        .from(sql`(select ${end('asc')} as first, ${end('desc')} as last from ${rowsOf(q, labels)}) as ends`)
      return { createdFrom: row!.first, createdTo: row!.last + 1 }
    },
    count: () => countOf(q, from, where),
  }
}

async function countOf(q: Queries, from: SQL, where: SQL | undefined, max?: number): Promise<number> {
  const limit = max === undefined ? undefined : sql` limit ${max}`
  const some = sql`(select 1 from ${from} where ${where}${limit}) as counted`
  const [row] = await q.sql.select({ rows: sql`count(*)`.mapWith(Number) }).from(some)
  return row!.rows
}

/** On PostgreSQL: the tasks of a sample, and those of a page without the full-text index. */
const [SAMPLE, PART] = [2_000, 5_000]
const MAX_SORTED_OF_SAMPLE = (SAMPLE * MAX_SORTED) / 1_000_000

function byWords(
  q: Queries,
  projectId: string,
  filter: TaskFilter,
  search: SearchWord[],
  groups: string[][],
): Texts {
  const { taskWords } = q.tables
  const { models, operation } = filter
  const indexed = [
    ...groups,
    ...(models ? [models.map((model) => `model:${model}`)] : []),
    ...(operation ? [[`operation:${operation}`]] : []),
  ]
  const isSqlite = q.dialect === 'sqlite'
  const seq = isSqlite ? sql`task_words_index.rowid` : sql`${taskWords.seq}`
  // SQLite's full-text index seeks only integers; large parameters are bound as REAL.
  const asSeq = (value: SQL) => (isSqlite ? sql`cast(${value} as integer)` : value)
  const isInPeriod = isCreated(seq, filter, (at) => asSeq(sql`${seqAt(at)}`))
  const isFound = hasWords(q, projectId, search, indexed)
  const index = isSqlite ? sql`task_words_index` : sql`${taskWords}`
  const from = isSqlite ? sql`task_words_index cross join ${taskWords}` : index
  const isRow = isSqlite ? sql`${taskWords.seq} = ${seq}` : undefined
  const where = and(isFound, isRow, isInPeriod)
  const seeker = (range: PageRange, id: SQL, descending: boolean) =>
    seek(range, { id, boundOf: (one) => asSeq(seqOfTask(q, one)), descending })

  /** SQLite returns matches in the order of row ids. */
  async function read(range: PageRange, descending: boolean): Promise<Position[]> {
    if (isSqlite) return readPart(from, seq, range, descending)
    // Frequent words are found in the order of the list. Else all matches of the index are sorted: the planner does not
    // know which words occur together.
    const near = await readPart(nearest(range, descending, PART), seq, range, descending)
    if (near.length === range.limit) return near
    // Not the bare column, whose index would be read.
    return readPart(from, sql`${seq} + 0`, range, descending)
  }

  async function readPart(rows: SQL, order: SQL, range: PageRange, descending: boolean): Promise<Position[]> {
    const { isInRange, orderBy } = seeker(range, order, descending)
    const page = sql`(select ${seq} as seq, ${taskWords.taskId} as id from ${rows} where ${and(where, isInRange)} order by ${sql.join(orderBy, sql`, `)} limit ${range.limit}) as page`
    return q.sql
      .select({ at: sql`seq`.mapWith((one) => timeOfSeq(Number(one))), id: sql<string>`id` })
      .from(page)
  }

  function nearest(range: PageRange, descending: boolean, limit: number): SQL {
    const { isInRange, orderBy } = seeker(range, seq, descending)
    const isNear = and(isInRange, isInPeriod) ?? sql`true`
    return sql`(select * from ${taskWords} where ${isNear} order by ${sql.join(orderBy, sql`, `)} limit ${limit}) as task_words`
  }

  return {
    taskId: taskWords.taskId,
    from,
    where,
    isWithRequest: true,
    read,
    async periodOfMany(start, isFalling) {
      if (!isSqlite) {
        const range = { limit: SAMPLE, after: start }
        const sample = nearest(range, isFalling, SAMPLE)
        return (await countOf(q, sample, isFound)) <= MAX_SORTED_OF_SAMPLE ? null : {}
      }
      const isMatch = and(isFound, isInPeriod)
      if ((await countOf(q, index, isMatch, MAX_SORTED + 1)) <= MAX_SORTED) return null
      const end = (direction: string) =>
        sql`(select rowid from ${index} where ${isMatch} order by rowid ${sql.raw(direction)} limit 1)`
      const [row] = await q.sql
        .select({ first: sql`first`.mapWith(Number), last: sql`last`.mapWith(Number) })
        .from(sql`(select ${end('asc')} as first, ${end('desc')} as last) as ends`)
      return { createdFrom: timeOfSeq(row!.first), createdTo: timeOfSeq(row!.last) + 1 }
    },
    count: () => countOf(q, index, and(isFound, isInPeriod)),
  }
}
