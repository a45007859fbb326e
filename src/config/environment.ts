import type { Dialect } from '../providers/provider.ts'
import { nearest } from './nearest.ts'

/** Dialects by name. */
export type Dialects = Readonly<Record<string, Dialect>>

/** Variables as in `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>

/** Settings that have an environment variable, which overrides the file. */
export const VARIABLES = {
  port: 'PORT',
  host: 'HOST',
  publicUrl: 'PUBLIC_URL',
  adminKey: 'DARKROOM_ADMIN_KEY',
  dataDir: 'DATA_DIR',
  databaseUrl: 'DATABASE_URL',
  logLevel: 'LOG_LEVEL',
} as const

const UNSUPPORTED = { ASSETS_URL: 'images are stored in DATA_DIR' }

const KNOWN = [
  'DARKROOM_CONFIG',
  'DARKROOM_API_KEY',
  ...Object.keys(UNSUPPORTED),
  ...Object.values<string>(VARIABLES),
]

/** Removes empty variables: Compose files and CI systems write an unset variable as an empty one. */
export function withoutEmpty(env: Environment): Environment {
  return Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''))
}

/** Problems with variables that are planned, but not supported yet. */
export function unsupportedVariables(env: Environment): string[] {
  return Object.entries(UNSUPPORTED)
    .filter(([name]) => env[name] !== undefined)
    .map(([name, instead]) => `${name} is set, but it is not supported yet: ${instead}. Unset it.`)
}

/** Warnings about variables that have no effect. `inserted`: values that the configuration file uses. */
export function ignoredVariables(
  env: Environment,
  dialects: Dialects,
  inserted: readonly string[],
): string[] {
  const unknown = Object.keys(env).filter((name) => name.startsWith('DARKROOM_') && !KNOWN.includes(name))
  const unused = Object.entries(dialects)
    .map(([dialect, { fromEnvironment }]) => ({
      dialect,
      name: `${dialect.toUpperCase()}_BASE_URL`,
      fromEnvironment,
    }))
    .filter(({ name, fromEnvironment }) => {
      const value = env[name]
      return value !== undefined && !inserted.includes(value) && fromEnvironment(env) === undefined
    })
  return [
    ...unknown.map((name) => `${name} is not a setting and has no effect.${didYouMeanVariable(name)}`),
    ...unused.map(({ dialect, name }) => `${name} has no effect without the credentials of \`${dialect}\`.`),
  ]
}

/** Compares names without the prefix that they share. */
function didYouMeanVariable(name: string): string {
  const bare = (variable: string) => variable.replace(/^DARKROOM_/, '')
  const found = nearest(bare(name), KNOWN.map(bare))
  const meant = KNOWN.find((variable) => bare(variable) === found)
  return meant === undefined ? '' : ` Did you mean \`${meant}\`?`
}
