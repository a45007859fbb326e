import type { TaskFilter } from '../../db/tasks/filter.ts'
import type { TaskOrder } from '../../db/tasks/list.ts'
import { readSearch, type SearchWord } from '../../db/tasks/words.ts'
import { badInput } from '../../errors.ts'
import { isStorable } from '../../text.ts'
import { builder, describedEnum, withoutNulls } from '../builder.ts'
import * as enums from '../enums.ts'
import { MetadataInput } from './generate-image.ts'

const MAX_SEARCH_WORDS = 20
const MAX_VALUES = 50
/** Shorter ones are the beginning of too many words. */
const MIN_PREFIX_CODE_POINTS = 3

export const TaskFilterInput = builder.inputType('TaskFilter', {
  description:
    'Conditions on tasks, all of which must hold. An absent field does not restrict. An empty list of `metadata` does not ' +
    'either; any other empty list matches no task.',
  fields: (t) => ({
    statuses: t.field({ type: [enums.TaskStatus], description: 'In one of these states.' }),
    operation: t.field({ type: enums.Operation, description: 'GENERATE or EDIT only.' }),
    model: t.string({ description: 'Exact model name, as requested.' }),
    models: t.stringList({
      description: `Exact model names, one of which was requested. Up to ${MAX_VALUES}.`,
    }),
    provider: t.string({ description: 'Name of a provider that has an attempt of the task.' }),
    providers: t.stringList({
      description: `Names of providers, one of which has an attempt of the task. Up to ${MAX_VALUES}.`,
    }),
    createdFrom: t.field({ type: 'DateTime', description: 'Created at this time or later.' }),
    createdTo: t.field({ type: 'DateTime', description: 'Created before this time.' }),
    search: t.string({
      description:
        `Up to ${MAX_SEARCH_WORDS} words separated by spaces, all of which the prompt has, in any order. Upper and lower case ` +
        `are the same. \`*\` after at least ${MIN_PREFIX_CODE_POINTS} letters finds words that begin with them: \`water*\`. ` +
        'Of Chinese, Japanese and Thai, each character is a word.',
    }),
    apiKeyIds: t.idList({ description: `Created with one of these API keys. Up to ${MAX_VALUES}.` }),
    users: t.stringList({ description: `\`GenerateImageInput.user\` is one of these. Up to ${MAX_VALUES}.` }),
    metadata: t.field({
      type: [MetadataInput],
      description: `Has all of these labels. Up to ${MAX_VALUES}.`,
    }),
    charged: t.field({
      type: [enums.Charged],
      description: 'Cost money, did not, or possibly did: one of these.',
    }),
    hasWarnings: t.boolean({ description: 'Has warnings, or has none.' }),
    favorite: t.boolean({ description: 'Marked by updateTask, or not marked.' }),
  }),
})

export function readFilter(input: typeof TaskFilterInput.$inferInput | null | undefined): TaskFilter {
  const { model, models, provider, providers, search, apiKeyIds, metadata, ...same } = withoutNulls(
    input ?? {},
  )
  checkLengths({ models, providers, apiKeyIds, users: same.users, metadata })
  return {
    ...same,
    models: bothOf(model, models),
    providers: bothOf(provider, providers),
    search: search === undefined ? undefined : checkSearch(search),
    // No database stores the others.
    apiKeyIds: apiKeyIds?.filter(isStorable),
    metadata: metadata?.length === 0 ? undefined : metadata,
  }
}

/** Each value is a range of an index. */
function checkLengths(lists: Record<string, readonly unknown[] | undefined>): void {
  for (const [name, { length = 0 } = {}] of Object.entries(lists))
    if (length > MAX_VALUES)
      throw badInput(`filter.${name}`, `filter.${name} has ${length} values; the maximum is ${MAX_VALUES}.`)
}

function bothOf(one: string | undefined, list: string[] | undefined): string[] | undefined {
  if (one === undefined) return list
  return list === undefined || list.includes(one) ? [one] : []
}

function checkSearch(text: string): SearchWord[] {
  const words = readSearch(text)
  const short = words.find(
    ({ word, isPrefix }) => isPrefix && Array.from(word).length < MIN_PREFIX_CODE_POINTS,
  )
  if (words.length === 0)
    throw badInput('filter.search', 'filter.search has no words. Use letters or digits.')
  if (words.length > MAX_SEARCH_WORDS)
    throw badInput(
      'filter.search',
      `filter.search has ${words.length} words; the maximum is ${MAX_SEARCH_WORDS}.`,
    )
  if (short)
    throw badInput(
      'filter.search',
      `filter.search has the prefix ${short.word}*; the minimum is ${MIN_PREFIX_CODE_POINTS} letters.`,
    )
  return words
}

export const ORDERS = {
  CREATED_AT_DESC: { field: 'CREATED_AT', descending: true },
  CREATED_AT_ASC: { field: 'CREATED_AT', descending: false },
  FINISHED_AT_DESC: { field: 'FINISHED_AT', descending: true },
  FINISHED_AT_ASC: { field: 'FINISHED_AT', descending: false },
} as const satisfies Record<string, TaskOrder>

export const TaskOrderEnum = describedEnum<keyof typeof ORDERS>('TaskOrder', {
  description: 'Order of a list of tasks.',
  CREATED_AT_DESC: 'Newest task first.',
  CREATED_AT_ASC: 'Oldest task first.',
  FINISHED_AT_DESC: 'Last finished first, without unfinished tasks.',
  FINISHED_AT_ASC: 'First finished first, without unfinished tasks, and as FINISHED_AT_DESC.',
})
