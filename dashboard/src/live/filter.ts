// The filter of the Live page: in the URL, for the server, and for events.
import type { LiveTask, TaskFilter, TaskStatus } from '../api/generated.ts'

/** Parameters of the URL. Absent without a condition. */
export interface LiveSearch {
  status?: TaskStatus[]
  op?: 'GENERATE' | 'EDIT'
  model?: string
  provider?: string
  /** Words of the prompt. */
  q?: string
}

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
  return {
    ...(status.length > 0 && { status }),
    ...((op === 'GENERATE' || op === 'EDIT') && { op }),
    ...(model !== undefined && { model }),
    ...(provider !== undefined && { provider }),
    ...(q !== undefined && { q }),
  }
}

export function isFiltered(search: LiveSearch): boolean {
  return Object.keys(serverFilterOf(search)).length > 0
}

export function serverFilterOf({ status, op, model, provider, q }: LiveSearch): TaskFilter {
  return {
    ...(status && { statuses: status }),
    ...(op && { operation: op }),
    ...(model !== undefined && { models: [model] }),
    ...(provider !== undefined && { providers: [provider] }),
    ...(q !== undefined && { search: q }),
  }
}

/** Whether a task meets the conditions, as the server decides for `tasks`. */
export function matches(task: LiveTask, { status, op, model, provider, q }: LiveSearch): boolean {
  if (status && !status.includes(task.status)) return false
  if (op && task.operation !== op) return false
  if (model !== undefined && task.model !== model) return false
  if (provider !== undefined && task.provider?.name !== provider) return false
  return q === undefined || hasWords(task.prompt, q)
}

/** All words of the query are in the text; a word that ends with `*` is the beginning of one. */
function hasWords(text: string, query: string): boolean {
  const words = wordsOf(text)
  return query.split(/\s+/).every((term) => {
    const parts = wordsOf(term)
    return parts.every((part, index) => {
      const isPrefix = term.endsWith('*') && index === parts.length - 1
      return words.some((word) => (isPrefix ? word.startsWith(part) : word === part))
    })
  })
}

function wordsOf(text: string): string[] {
  const plain = text.normalize('NFKD').replaceAll(/\p{M}/gu, '').toLowerCase()
  return plain.match(/[\p{L}\p{N}]+/gu) ?? []
}

function textOf(value: unknown): string | undefined {
  const text = Array.isArray(value) ? value.join(',') : typeof value === 'string' ? value : ''
  return text === '' ? undefined : text.slice(0, 200)
}
