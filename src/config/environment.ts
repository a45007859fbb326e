// What environment variables mean, and which of them only look as if they meant something.
import type { Dialect } from '../providers/provider.ts'
import { nearest } from './nearest.ts'

/** The wire languages there are, by name. */
export type Dialects = Readonly<Record<string, Dialect>>

/** Variables as Node has them in `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>

/** The settings that a variable can give, and its name. Each wins over the file. */
export const VARIABLES = {
  port: 'PORT',
  host: 'HOST',
  publicUrl: 'PUBLIC_URL',
  adminKey: 'DARKROOM_ADMIN_KEY',
  dataDir: 'DATA_DIR',
  databaseUrl: 'DATABASE_URL',
  logLevel: 'LOG_LEVEL',
} as const

const NOT_YET = { ASSETS_URL: 'assets are kept in DATA_DIR' }

/** What commands use that talk to a running server. */
const OF_COMMANDS: readonly string[] = ['DARKROOM_CONFIG', 'DARKROOM_API_KEY']

/** The variables that are set to nothing count as not set: that is how compose files and CI leave them out. */
export function withoutEmpty(env: Environment): Environment {
  return Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''))
}

/** Variables whose meaning is promised but not built: using them must not look as if it worked. */
export function unsupportedVariables(env: Environment): string[] {
  return Object.entries(NOT_YET)
    .filter(([name]) => env[name] !== undefined)
    .map(([name, instead]) => `${name} is set, but not supported yet: ${instead}. Unset it.`)
}

/** Variables that do nothing although their names suggest it. */
export function ignoredVariables(
  env: Environment,
  dialects: Dialects,
  inserted: readonly string[],
): string[] {
  const isIdle = (name: string) => env[name] !== undefined && !inserted.includes(env[name])
  const ours = Object.keys(env).filter((name) => name.startsWith('DARKROOM_'))
  const settings = new Set([...OF_COMMANDS, ...Object.keys(NOT_YET), ...Object.values(VARIABLES)])
  const unknown = ours.filter((name) => !settings.has(name))
  const alone = Object.entries(dialects).filter(
    ([dialect, known]) => isIdle(baseUrlOf(dialect)) && known.fromEnvironment(env) === undefined,
  )
  return [
    ...unknown.map((name) => `${name} is not a setting, so it does nothing.${didYouMeanVariable(name)}`),
    ...alone.map(
      ([dialect]) =>
        `${baseUrlOf(dialect)} does nothing alone: \`${dialect}\` needs its credentials as well.`,
    ),
  ]
}

function baseUrlOf(dialect: string): string {
  return `${dialect.toUpperCase()}_BASE_URL`
}

/** The prefix that all of them share must not make them look near. */
function didYouMeanVariable(name: string): string {
  const settings = [...OF_COMMANDS, ...Object.keys(NOT_YET), ...Object.values(VARIABLES)]
  const found = nearest(bare(name), settings.map(bare))
  const meant = settings.find((setting) => bare(setting) === found)
  return meant === undefined ? '' : ` Did you mean \`${meant}\`?`
}

function bare(name: string): string {
  return name.replace(/^DARKROOM_/, '')
}
