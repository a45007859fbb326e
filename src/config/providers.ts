import { z } from 'zod'
import type { Dialects, Environment } from './environment.ts'
import { didYouMean } from '../nearest.ts'
import { check, listText, valueAt, type Setting } from './problems.ts'
import type { Sources } from './sources.ts'

/** Validated; `options` lack defaults. */
export type ProviderPlan = NonNullable<ReturnType<typeof planProvider>>

const ENTRY = z.looseObject({ name: z.string(), dialect: z.string() })

/** The file's, then the environment's under unused names; a sandbox without any. */
export function planProviders(
  from: { sources: Sources; env: Environment; dialects: Dialects; sandbox: object },
  problems: string[],
): ProviderPlan[] {
  const listed = fileEntries(from.sources, problems)
  const names = new Set(listed.map(({ name }) => name))
  const entries = [...listed, ...environmentEntries(from, names)]
  const name = 'sandbox'
  const sandbox = { name, dialect: name, options: { ...from.sandbox }, written: {}, where: () => name }
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
    const entry = ENTRY.safeParse(item).data
    // Reported already.
    if (!entry) return []
    const { name, dialect, ...options } = entry
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

function planProvider(entry: Entry, dialects: Dialects, problems: string[]) {
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
