import { LIST_VARIABLES, VARIABLES, type Environment } from './environment.ts'
import type { ConfigFile } from './file.ts'
import { didYouMean } from '../nearest.ts'

export type Flags = Readonly<{ port?: string; host?: string; dataDir?: string }>

const FLAGS = [
  ['port', '--port'],
  ['host', '--host'],
  ['dataDir', '--data-dir'],
] as const

export interface Sources {
  /** With `${VAR}` replaced, and as written. */
  values: Record<string, unknown>
  written: Record<string, unknown>
  /** `PORT`, or `darkroom.config.json: providers[2].dialect`. */
  where: (path: readonly PropertyKey[]) => string
  /** In place of `${VAR}`. */
  inserted: readonly string[]
}

/** Without replacement of `${VAR}`. */
export function literalSources(settings: Record<string, unknown>): Sources {
  return {
    values: settings,
    written: settings,
    where: (path) => `configuration: ${pathText(path)}`,
    inserted: [],
  }
}

/** Reports each unset `${VAR}`. */
export function mergeSources(
  { flags, env, file }: { flags: Flags; env: Environment; file: ConfigFile | undefined },
  problems: string[],
): Sources {
  const given = [
    ...Object.entries(VARIABLES).map(([key, name]) => ({ key, name, value: variableValue(key, env[name]) })),
    ...FLAGS.map(([key, name]) => ({ key, name, value: flags[key] })),
  ].filter(({ value }) => value !== undefined)
  const names = new Map<PropertyKey, string>(given.map(({ key, name }) => [key, name]))
  const overrides = Object.fromEntries(given.map(({ key, value }) => [key, value]))
  const content = Object.fromEntries(Object.entries(file?.content ?? {}).filter(([key]) => !names.has(key)))
  const where = (path: readonly PropertyKey[]) =>
    names.get(path[0] ?? '') ?? `${file?.label ?? 'configuration'}: ${pathText(path)}`
  const inserted: string[] = []
  const values = Object.fromEntries(
    Object.entries(content).map(([key, value]) => [
      key,
      insertVariables(value, [key], { env, where, problems, inserted }),
    ]),
  )
  return { values: { ...values, ...overrides }, written: { ...content, ...overrides }, where, inserted }
}

function variableValue(key: string, text: string | undefined): string | string[] | undefined {
  return LIST_VARIABLES.has(key) ? text?.split(',').map((item) => item.trim()) : text
}

function pathText(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === 'number') return `${text}[${key}]`
    return text === '' ? String(key) : `${text}.${String(key)}`
  }, '')
}

/** For an unset variable: reported already. */
export const MISSING = Symbol('missing variable')

interface Insertion extends Pick<Sources, 'where'> {
  env: Environment
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
  const { env, where, problems, inserted } = insertion
  let isComplete = true
  const complete = text.replace(/\$\{([^}]*)\}/g, (_, name: string) => {
    const value = env[name]
    if (value === undefined) {
      isComplete = false
      problems.push(
        `${where(path)} uses \${${name}}, but ${name} is not set.${didYouMean(name, Object.keys(env))}`,
      )
      return ''
    }
    inserted.push(value)
    return value
  })
  return isComplete ? complete : MISSING
}
