import type { Provider } from '../providers/provider.ts'
import type { Dialects, Environment } from './environment.ts'
import { didYouMean } from './nearest.ts'
import { check, listText, valueAt, type Setting } from './problems.ts'
import type { Sources } from './sources.ts'

/** A validated provider, not created yet. */
export interface ProviderPlan {
  name: string
  dialect: string
  /** As given, without defaults. */
  options: Readonly<Record<string, unknown>>
  create(): Provider
}

/** The file's providers, then those of the environment under unused names; a sandbox if there are none. */
export function planProviders(
  from: { sources: Sources; env: Environment; dialects: Dialects },
  problems: string[],
): ProviderPlan[] {
  const listed = fileEntries(from.sources, problems)
  const names = new Set(listed.map(({ name }) => name))
  const entries = [...listed, ...environmentEntries(from, names)]
  const sandbox = { name: 'sandbox', dialect: 'sandbox', options: {}, written: {}, where: () => 'sandbox' }
  return (entries.length > 0 ? entries : [sandbox])
    .map((entry) => planProvider(entry, from.dialects, problems))
    .filter((plan) => plan !== undefined)
}

interface Entry extends Setting {
  name: string
  dialect: string
  options: Record<string, unknown>
}

function fileEntries(sources: Sources, problems: string[]): Entry[] {
  const names = new Set<string>()
  const listed = Array.isArray(sources.values['providers']) ? sources.values['providers'] : []
  return listed.flatMap((item: unknown, index) => {
    // Reported with the shape of the file.
    if (!isEntry(item)) return []
    const { name, dialect, ...options } = item
    const where = (path: readonly PropertyKey[]) => sources.where(['providers', index, ...path])
    if (names.has(name))
      problems.push(`${where(['name'])} is "${name}"; another provider already has this name.`)
    names.add(name)
    return [{ name, dialect, options, written: valueAt(sources.written, ['providers', index]), where }]
  })
}

function environmentEntries(
  { env, dialects }: { env: Environment; dialects: Dialects },
  taken: ReadonlySet<string>,
): Entry[] {
  return Object.entries(dialects).flatMap(([dialect, known]) => {
    const options = taken.has(dialect) ? undefined : known.fromEnvironment(env)
    if (options === undefined) return []
    const where = (path: readonly PropertyKey[]) =>
      `environment: ${path.map(String).join('.')} of provider ${dialect}`
    return [{ name: dialect, dialect, options, written: options, where }]
  })
}

function planProvider(entry: Entry, dialects: Dialects, problems: string[]): ProviderPlan | undefined {
  const { name, where } = entry
  const dialect = Object.hasOwn(dialects, entry.dialect) ? dialects[entry.dialect] : undefined
  if (dialect === undefined) {
    const known = Object.keys(dialects)
    const hint = didYouMean(entry.dialect, known)
    problems.push(`${where(['dialect'])} is "${entry.dialect}"; it must be ${listText(known)}.${hint}`)
    return undefined
  }
  const before = problems.length
  const options = check(dialect.options, entry.options, { ...entry, problems })
  if (problems.length > before) return undefined
  return { name, dialect: entry.dialect, options: entry.options, create: () => dialect.create(name, options) }
}

function isEntry(item: unknown): item is { name: string; dialect: string } & Record<string, unknown> {
  if (typeof item !== 'object' || item === null) return false
  return (
    'name' in item && typeof item.name === 'string' && 'dialect' in item && typeof item.dialect === 'string'
  )
}
