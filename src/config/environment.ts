import type { Dialect } from '../providers/provider.ts'
import { nearest } from '../nearest.ts'

export type Dialects = Readonly<Record<string, Dialect>>

export type Environment = Readonly<Record<string, string | undefined>>

export const VARIABLES = {
  port: 'PORT',
  host: 'HOST',
  publicUrl: 'PUBLIC_URL',
  adminKey: 'DARKROOM_ADMIN_KEY',
  dataDir: 'DATA_DIR',
  databaseUrl: 'DATABASE_URL',
  assetsUrl: 'ASSETS_URL',
  assetsDelivery: 'ASSETS_DELIVERY',
  logLevel: 'LOG_LEVEL',
  corsOrigins: 'CORS_ORIGINS',
  trustedProxies: 'TRUSTED_PROXIES',
  introspection: 'INTROSPECTION',
  persistedQueries: 'PERSISTED_QUERIES',
  persistedQueriesFile: 'PERSISTED_QUERIES_FILE',
} as const

/** Several values, separated by commas. */
export const LIST_VARIABLES: ReadonlySet<string> = new Set(['corsOrigins', 'trustedProxies'])

const KNOWN = ['DARKROOM_CONFIG', 'DARKROOM_API_KEY', 'DARKROOM_URL', ...Object.values<string>(VARIABLES)]

/** Compose files and CI write unset variables as empty. */
export function withoutEmpty(env: Environment): Environment {
  return Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''))
}

/** About variables without effect. `inserted`: values that the file uses. */
export function ignoredVariables(
  env: Environment,
  dialects: Dialects,
  inserted: readonly string[],
): string[] {
  const unknown = Object.keys(env).filter((name) => name.startsWith('DARKROOM_') && !KNOWN.includes(name))
  const unused = Object.entries(dialects).filter(([name, dialect]) => {
    const value = env[baseUrlOf(name)]
    return value !== undefined && !inserted.includes(value) && dialect.fromEnvironment(env) === undefined
  })
  return [
    ...unknown.map((name) => `${name} is not a setting and has no effect.${didYouMeanVariable(name)}`),
    ...unused.map(([name]) => `${baseUrlOf(name)} has no effect without the credentials of \`${name}\`.`),
  ]
}

function baseUrlOf(dialect: string): string {
  return `${dialect.toUpperCase()}_BASE_URL`
}

/** Ignores the prefix: it makes all names similar. */
function didYouMeanVariable(name: string): string {
  const found = nearest(bare(name), KNOWN.map(bare))
  const meant = KNOWN.find((variable) => bare(variable) === found)
  return meant === undefined ? '' : ` Did you mean \`${meant}\`?`
}

function bare(variable: string): string {
  return variable.replace(/^DARKROOM_/, '')
}
