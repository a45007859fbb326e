// Split here, so that both databases find the same words.
import { createHash } from 'node:crypto'
import { and, eq, inArray, sql, type AnyColumn, type SQL } from 'drizzle-orm'
import type { Database, Queries, Transaction } from '../connection/database.ts'
import type { Position } from '../connection/keyset.ts'
import { insertion } from '../connection/statement.ts'
import type { TaskRow } from '../tables/tables.ts'

/** Scripts without spaces: each character is a word. */
const SINGLE = /^[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]$/v
const WORD = new RegExp(
  `${SINGLE.source.slice(1, -1)}|[[\\p{L}\\p{M}\\p{N}]--${SINGLE.source.slice(1, -1)}]+`,
  'gv',
)

/** PostgreSQL stores up to 2,046 bytes of a word. */
const MAX_WORD_CODE_POINTS = 100

/** In lower case, without repetitions. */
export function wordsOf(text: string): string[] {
  const words = text.normalize('NFKC').toLowerCase().match(WORD) ?? []
  return [...new Set(words.map((word) => Array.from(word).slice(0, MAX_WORD_CODE_POINTS).join('')))]
}

/** With `isPrefix`, the start of a word. */
export interface SearchWord {
  word: string
  isPrefix: boolean
}

/** `*` after a word makes it a prefix, unless each of its characters is a word. */
export function readSearch(text: string): SearchWord[] {
  return text.split(/\s+/u).flatMap((chunk) => {
    const words = wordsOf(chunk)
    const isPrefix = chunk.endsWith('*') && !SINGLE.test(words.at(-1) ?? '')
    return words.map((word, i) => ({ word, isPrefix: isPrefix && i === words.length - 1 }))
  })
}

type Indexed = Pick<TaskRow, 'id' | 'projectId' | 'apiKeyId' | 'createdAt' | 'request'>

export async function insertWords(q: Transaction, task: Indexed): Promise<void> {
  const { apiKeyId, projectId, request } = task
  const { metadata, model, operation, prompt, user } = request
  const labels = [
    `operation:${operation}`,
    `model:${model}`,
    ...(apiKeyId === null ? [] : [`key:${apiKeyId}`]),
    ...(user === null ? [] : [`user:${user}`]),
    ...Object.entries(metadata).map(([key, value]) => `metadata:${key}=${value}`),
  ]
  const words = [projectId, ...labels.map(tokenOf), ...wordsOf(prompt)].join(' ')
  const first = seqOf(task.createdAt, task.id)
  for (let seq = first; (await newWords(q, { seq, taskId: task.id, words })).length === 0; seq++);
}

/** After a change of its labels. */
export async function replaceWords(q: Transaction, task: Indexed): Promise<void> {
  await q.sql.delete(q.tables.taskWords).where(eq(q.tables.taskWords.taskId, task.id))
  await insertWords(q, task)
}

const newWords = insertion<{ seq: number; taskId: string; words: string }, { seq: number }[]>(
  'task_words',
  ({ dialect, sql: into, tables: { taskWords } }, { words, ...values }) => {
    // As they are: no dictionary.
    const set = dialect === 'sqlite' ? words : sql`array_to_tsvector(string_to_array(${words}, ' '))`
    return into
      .insert(taskWords)
      .values({ ...values, words: set })
      .onConflictDoNothing({ target: taskWords.seq })
      .returning({ seq: taskWords.seq })
  },
)

const PER_MS = 1024
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

/** The place of a task in its list: SQLite returns full-text matches in the order of row ids. */
function seqOf(createdAt: number, id: string): number {
  const [high = 0, low = 0] = Array.from(id.slice(-16, -14), (digit) => Math.max(0, ALPHABET.indexOf(digit)))
  return createdAt * PER_MS + high * 32 + low
}

/** The first number of a millisecond. */
export function seqAt(at: number): number {
  return at * PER_MS
}

/** In milliseconds. */
export function timeOfSeq(seq: number): number {
  return Math.floor(seq / PER_MS)
}

/** Of a task, or of its place once deleted. */
export function seqOfTask({ tables: { taskWords } }: Queries, { at, id }: Position): SQL {
  return sql`coalesce((select own.seq from ${taskWords} as own where own.task_id = ${id}), ${seqOf(at, id)})`
}

const MAX_TOKEN_BYTES = 200

/** A label as a word that no prompt has. */
function tokenOf(label: string): string {
  const bytes = Buffer.from(label)
  const isShort = bytes.length <= MAX_TOKEN_BYTES
  return `_${isShort ? bytes.toString('hex') : createHash('sha256').update(bytes).digest('hex')}`
}

/** On SQLite's virtual table or PostgreSQL's `task_words`. Needs one label of each group. */
export function hasWords(
  { dialect, tables }: Queries,
  projectId: string,
  search: SearchWord[],
  groups: string[][] = [],
): SQL {
  if (groups.some((labels) => labels.length === 0)) return sql`false`
  const all = [
    [{ word: projectId, isPrefix: false }],
    ...groups.map((labels) => labels.map((label) => ({ word: tokenOf(label), isPrefix: false }))),
    ...search.map((word) => [word]),
  ]
  return dialect === 'sqlite'
    ? sql`task_words_index match ${all.map((some) => `(${some.map(ftsTerm).join(' OR ')})`).join(' AND ')}`
    : sql`${tables.taskWords.words} @@ ${all.map((some) => `(${some.map(tsTerm).join(' | ')})`).join(' & ')}::tsquery`
}

const ftsTerm = ({ word, isPrefix }: SearchWord) => `"${word}"${isPrefix ? '*' : ''}`
const tsTerm = ({ word, isPrefix }: SearchWord) => `'${word}'${isPrefix ? ':*' : ''}`

/** Whether the words of one task have them, without the index: SQLite prepares each search in it. */
export function isWorded({ dialect, tables }: Queries, search: SearchWord[], taskId: AnyColumn): SQL {
  const isFound =
    dialect === 'sqlite'
      ? and(
          ...search.map(
            ({ word, isPrefix }) =>
              sql`instr(' ' || own.words || ' ', ${` ${word}${isPrefix ? '' : ' '}`}) > 0`,
          ),
        )
      : sql`own.words @@ ${search.map(tsTerm).join(' & ')}::tsquery`
  return sql`(select 1 from ${tables.taskWords} as own where own.task_id = ${taskId} and ${isFound} limit 1) is not null`
}

const BATCH = 500

/** For tasks of older versions. Returns how many. */
export async function storeMissingWords(db: Pick<Database, 'tx'>): Promise<number> {
  for (let stored = 0; ;) {
    const batch = await db.tx(storeBatch)
    if (batch === 0) return stored
    stored += batch
  }
}

async function storeBatch(q: Transaction): Promise<number> {
  const { tasks, tasksWithoutWords } = q.tables
  const waiting = q.sql.select().from(tasksWithoutWords).limit(BATCH)
  const ids = await (q.dialect === 'postgresql' ? waiting.for('update') : waiting)
  if (ids.length === 0) return 0
  const isInBatch = inArray(
    tasksWithoutWords.taskId,
    ids.map(({ taskId }) => taskId),
  )
  const { id, projectId, apiKeyId, createdAt, request } = tasks
  const rows = await q.sql
    .select({ id, projectId, apiKeyId, createdAt, request })
    .from(tasksWithoutWords)
    .innerJoin(tasks, eq(id, tasksWithoutWords.taskId))
    .where(isInBatch)
  for (const row of rows) await insertWords(q, row)
  await q.sql.delete(tasksWithoutWords).where(isInBatch)
  return ids.length
}
