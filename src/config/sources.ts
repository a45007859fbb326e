// Flags, environment and file laid over each other, with a memory of where each value came from.
import { VARIABLES, type Environment } from './environment.ts'
import type { ConfigFile } from './file.ts'
import { didYouMean } from './nearest.ts'

/** Command-line options that win over everything else. */
export type Flags = Readonly<{ port?: string; host?: string; dataDir?: string }>

const FLAGS = [
  ['port', '--port'],
  ['host', '--host'],
  ['dataDir', '--data-dir'],
] as const

export interface Sources {
  /** The settings, `${VAR}` replaced. */
  values: Record<string, unknown>
  /** The settings as they were written: fit to be shown where no secret stands in them literally. */
  written: Record<string, unknown>
  /** Where a setting stands, fit to begin a sentence: `PORT`, or `darkroom.config.json: providers[2].dialect`. */
  where: (path: readonly PropertyKey[]) => string
  /** Values that came in through `${VAR}`. */
  inserted: readonly string[]
}

/** Settings that a program gives: taken as they are, without environment and `${VAR}`. */
export function literal(settings: Record<string, unknown>): Sources {
  return {
    values: settings,
    written: settings,
    where: (path) => `configuration: ${pathText(path)}`,
    inserted: [],
  }
}

/** Lays flags over environment over file. Names every `${VAR}` that is not set. */
export function layer(
  from: { flags: Flags; env: Environment; file: ConfigFile | undefined },
  problems: string[],
): Sources {
  const origin = new Map<PropertyKey, string>()
  const outer: Record<string, unknown> = {}
  for (const [key, name] of Object.entries(VARIABLES)) set(key, name, from.env[name])
  for (const [key, name] of FLAGS) set(key, name, from.flags[key])

  const content = Object.fromEntries(
    Object.entries(from.file?.content ?? {}).filter(([key]) => !origin.has(key)),
  )
  const where = (path: readonly PropertyKey[]) =>
    origin.get(path[0] ?? '') ?? `${from.file?.label ?? 'configuration'}: ${pathText(path)}`
  const inserted: string[] = []
  const insertion = { env: from.env, where, problems, inserted }
  const values = Object.fromEntries(
    Object.entries(content).map(([key, value]) => [key, insertVariables(value, [key], insertion)]),
  )
  return { values: { ...values, ...outer }, written: { ...content, ...outer }, where, inserted }

  function set(key: string, name: string, value: string | undefined) {
    if (value === undefined) return
    outer[key] = value
    origin.set(key, name)
  }
}

/** `providers[2].dialect`. */
function pathText(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === 'number') return `${text}[${key}]`
    return text === '' ? String(key) : `${text}.${String(key)}`
  }, '')
}

/** Stands in for a text whose variable is missing: that is reported already, so nothing else needs to be. */
export const MISSING = Symbol('missing variable')

interface Insertion {
  env: Environment
  where: Sources['where']
  problems: string[]
  inserted: string[]
}

function insertVariables(value: unknown, path: readonly PropertyKey[], insertion: Insertion): unknown {
  if (typeof value === 'string') return insertIntoText(value, path, insertion)
  if (Array.isArray(value))
    return value.map((item, index) => insertVariables(item, [...path, index], insertion))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, insertVariables(item, [...path, key], insertion)]),
  )
}

function insertIntoText(text: string, path: readonly PropertyKey[], insertion: Insertion): unknown {
  let isComplete = true
  const complete = text.replace(/\$\{([^}]*)\}/g, (_, name: string) => {
    const value = insertion.env[name]
    if (value !== undefined) {
      insertion.inserted.push(value)
      return value
    }
    isComplete = false
    const hint = didYouMean(name, Object.keys(insertion.env))
    insertion.problems.push(`${insertion.where(path)} uses \${${name}}, but ${name} is not set.${hint}`)
    return ''
  })
  return isComplete ? complete : MISSING
}
