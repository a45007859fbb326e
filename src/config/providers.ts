// The configured providers: each entry checked by its own dialect, and created once everything is known to be right.
import type { Provider } from '../providers/provider.ts'
import type { Dialects, Environment } from './environment.ts'
import { didYouMean } from './nearest.ts'
import { at, check } from './problems.ts'
import type { Sources } from './sources.ts'

/** A provider whose options are valid, not created yet. */
export interface ProviderPlan {
  name: string
  dialect: string
  /** As they were given, defaults left out. */
  options: Readonly<Record<string, unknown>>
  create(): Provider
}

/**
 * The providers of the file, then those that the environment switches on under names the file has not taken; the sandbox
 * when there is none at all. Entries with problems are left out and named.
 */
export function planProviders(
  from: { sources: Sources; env: Environment; dialects: Dialects },
  problems: string[],
): ProviderPlan[] {
  const { entries, names } = fileEntries(from.sources, problems)
  const plans = [...entries, ...environmentEntries(from, names)].map((entry) =>
    plan(entry, from.dialects, problems),
  )
  if (plans.length > 0) return plans.filter((found) => found !== undefined)
  const sandbox = {
    name: 'sandbox',
    dialect: 'sandbox',
    options: {},
    written: {},
    where: () => 'the sandbox',
  }
  return [plan(sandbox, from.dialects, problems)].filter((found) => found !== undefined)
}

interface Entry {
  name: string
  dialect: string
  options: Record<string, unknown>
  written: unknown
  where: (path: readonly PropertyKey[]) => string
}

function fileEntries(sources: Sources, problems: string[]): { entries: Entry[]; names: Set<string> } {
  const names = new Set<string>()
  const listed = Array.isArray(sources.values['providers']) ? sources.values['providers'] : []
  const entries = listed.flatMap((item: unknown, index) => {
    // What is no entry at all has been reported with the rest of the shape.
    if (!isEntry(item)) return []
    const { name, dialect, ...options } = item
    const where = (path: readonly PropertyKey[]) => sources.where(['providers', index, ...path])
    if (names.has(name))
      problems.push(`${where(['name'])} is "${name}": another provider has this name already.`)
    names.add(name)
    const written: unknown = at(sources.written, ['providers', index])
    return [{ name, dialect, options, written, where }]
  })
  return { entries, names }
}

function environmentEntries(
  { env, dialects }: { env: Environment; dialects: Dialects },
  taken: Set<string>,
): Entry[] {
  return Object.entries(dialects).flatMap(([dialect, known]) => {
    const options = taken.has(dialect) ? undefined : known.fromEnvironment(env)
    if (options === undefined) return []
    const where = (path: readonly PropertyKey[]) =>
      `environment: provider ${dialect}: ${path.map(String).join('.')}`
    return [{ name: dialect, dialect, options, written: options, where }]
  })
}

function plan(entry: Entry, dialects: Dialects, problems: string[]): ProviderPlan | undefined {
  const dialect = Object.hasOwn(dialects, entry.dialect) ? dialects[entry.dialect] : undefined
  if (dialect === undefined) {
    const known = Object.keys(dialects)
    problems.push(
      `${entry.where(['dialect'])} is "${entry.dialect}": it must be ${known.join(' or ')}.${didYouMean(entry.dialect, known)}`,
    )
    return undefined
  }
  const before = problems.length
  const options = check(dialect.options, entry.options, { ...entry, problems })
  if (problems.length > before) return undefined
  const { name } = entry
  return { name, dialect: entry.dialect, options: entry.options, create: () => dialect.create(name, options) }
}

function isEntry(item: unknown): item is { name: string; dialect: string } & Record<string, unknown> {
  if (typeof item !== 'object' || item === null) return false
  return (
    'name' in item && typeof item.name === 'string' && 'dialect' in item && typeof item.dialect === 'string'
  )
}
