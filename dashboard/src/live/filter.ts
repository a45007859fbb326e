// The filter of the Live page: in the URL, for the server, and for events.
import type { LiveTask, TaskFilter, TaskStatus } from '../api/generated.ts'

/** Parameters of the URL. Absent without a condition. */
export interface LiveSearch {
  status?: TaskStatus[] | undefined
  op?: 'GENERATE' | 'EDIT' | undefined
  model?: string | undefined
  provider?: string | undefined
  /** Id of the API key that created the task. */
  key?: string | undefined
  /** Words of the prompt. */
  q?: string | undefined
  /** Created at this time or later: a time, a day, or a span before now such as `2h`. */
  from?: string | undefined
  /** Created before this time, as `from`. */
  to?: string | undefined
  /** Absent for the grid. */
  view?: 'table' | undefined
  /** Of the tiles. Absent for `m`. */
  size?: 's' | 'l' | undefined
}

/** Conditions of a task, without the look of the page. */
export type LiveFilter = Omit<LiveSearch, 'view' | 'size'>

export const STATUSES: readonly TaskStatus[] = [
  'QUEUED',
  'RUNNING',
  'SUCCEEDED',
  'FAILED',
  'CANCELED',
  'OUTCOME_UNKNOWN',
]

/** Reads values from a URL; ignores those that are not valid. */
export function readLiveSearch(given: Readonly<Record<string, unknown>>): LiveSearch {
  const status = STATUSES.filter((one) => textOf(given['status'])?.split(',').includes(one))
  const op = textOf(given['op'])
  const model = textOf(given['model'])
  const provider = textOf(given['provider'])
  const q = textOf(given['q'])
  const key = textOf(given['key'])
  const [from, to] = [textOf(given['from']), textOf(given['to'])]
  const { view, size } = given
  return {
    ...(status.length > 0 && { status }),
    ...((op === 'GENERATE' || op === 'EDIT') && { op }),
    ...(model !== undefined && { model }),
    ...(provider !== undefined && { provider }),
    ...(key?.startsWith('key_') && { key }),
    ...(q !== undefined && { q }),
    ...(from !== undefined && timeOf(from, 0) !== undefined && { from }),
    ...(to !== undefined && timeOf(to, 0) !== undefined && { to }),
    ...(view === 'table' && { view }),
    ...((size === 's' || size === 'l') && { size }),
  }
}

export function filterOf(search: LiveSearch): LiveFilter {
  const { view: _view, size: _size, ...filter } = search
  return filter
}

export function isFiltered(search: LiveSearch): boolean {
  return Object.keys(filterOf(search)).length > 0
}

const UNITS_MS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 }

/** Milliseconds since 1970 of a time in a URL. A day starts at midnight in the zone of the browser. */
export function timeOf(text: string, now: number): number | undefined {
  const [, count, unit = ''] = /^(\d{1,4})([mhd])$/.exec(text) ?? []
  if (count !== undefined) return now - Number(count) * (UNITS_MS[unit] ?? 0)
  if (!/^\d{4}-\d\d(?:-\d\d)?(?:T.+)?$/.test(text)) return undefined
  const at = Date.parse(/^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00` : text)
  return Number.isNaN(at) ? undefined : at
}

/** `now`: for spans that end now. */
export function serverFilterOf(
  { status, op, model, provider, key, q, from, to }: LiveFilter,
  now = Date.now(),
): TaskFilter {
  const time = (text: string | undefined) => {
    const at = text === undefined ? undefined : timeOf(text, now)
    return at === undefined ? undefined : new Date(at).toISOString()
  }
  const [createdFrom, createdTo] = [time(from), time(to)]
  return {
    ...(status && { statuses: status }),
    ...(op && { operation: op }),
    ...(model !== undefined && { models: [model] }),
    ...(provider !== undefined && { providers: [provider] }),
    ...(key !== undefined && { apiKeyIds: [key] }),
    ...(q !== undefined && { search: q }),
    ...(createdFrom !== undefined && { createdFrom }),
    ...(createdTo !== undefined && { createdTo }),
  }
}

/** Whether a task meets the conditions, as the server decides for `tasks`. */
export function matches(
  task: LiveTask,
  { status, op, model, provider, key, q, from, to }: LiveFilter,
  now = Date.now(),
): boolean {
  const createdAt = Date.parse(task.createdAt)
  if (from !== undefined && createdAt < (timeOf(from, now) ?? createdAt)) return false
  if (to !== undefined && createdAt >= (timeOf(to, now) ?? Number.POSITIVE_INFINITY)) return false
  if (key !== undefined && task.apiKeyId !== key) return false
  if (status && !status.includes(task.status)) return false
  if (op && task.operation !== op) return false
  if (model !== undefined && task.model !== model) return false
  if (provider !== undefined && task.provider?.name !== provider) return false
  return q === undefined || hasWords(task.prompt, q)
}

/** All words of the query are in the text; a word that ends with `*` is the beginning of one. */
function hasWords(text: string, query: string): boolean {
  const words = wordsOf(text)
  return query.split(/\s+/u).every((term) => {
    const parts = wordsOf(term)
    return parts.every((part, index) => {
      const isPrefix = term.endsWith('*') && index === parts.length - 1 && !SINGLE.test(part)
      return words.some((word) => (isPrefix ? word.startsWith(part) : word === part))
    })
  })
}

/** In scripts without spaces, each character is a word. */
const SINGLE = /^[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]$/v
const CHARACTER = SINGLE.source.slice(1, -1)
const WORD = new RegExp(`${CHARACTER}|[[\\p{L}\\p{M}\\p{N}]--${CHARACTER}]+`, 'gv')

/** As the server splits a prompt: accents matter, case does not. */
function wordsOf(text: string): string[] {
  return text.normalize('NFKC').toLowerCase().match(WORD) ?? []
}

function textOf(value: unknown): string | undefined {
  const text = Array.isArray(value) ? value.join(',') : typeof value === 'string' ? value : ''
  return text === '' ? undefined : text.slice(0, 200)
}
