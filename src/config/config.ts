// Precedence: flags, environment, file, defaults.
import { resolve } from 'node:path'
import { dialects as builtIn } from '../providers/index.ts'
import type { Provider } from '../providers/provider.ts'
import type { SandboxOptions } from '../providers/sandbox/sandbox.ts'
import { ignoredVariables, withoutEmpty, type Dialects, type Environment } from './environment.ts'
import { ConfigError } from './error.ts'
import { readConfigFile } from './file.ts'
import type { GatewayConfig } from './input.ts'
import { check } from './problems.ts'
import { planProviders, type ProviderPlan } from './providers.ts'
import { createRedactor } from './secrets.ts'
import { isLoopback } from './setting-checks.ts'
import { CONFIG_SHAPE, type ConfigSettings } from './shape.ts'
import { literalSources, mergeSources, type Flags, type Sources } from './sources.ts'
import { findWarnings } from './warnings.ts'

/** Frozen. Paths are absolute, `publicUrl` without trailing slash. */
export interface Config extends Readonly<Omit<ConfigSettings, 'introspection' | 'providers'>> {
  /** Whether every client can read the schema. */
  readonly introspection: boolean
  /** Whether the operator's key can. */
  readonly operatorIntrospection: boolean
  /** At least one, closed by the owner of the configuration. */
  readonly providers: readonly Provider[]
  readonly redact: (text: string) => string
  /** Settings without effect, or that cost money or time. */
  readonly warnings: readonly string[]
}

interface ConfigSources {
  env: Environment
  /** Of the configuration file; base of a relative `dataDir`. */
  cwd: string
  flags?: Flags
  dialects?: Dialects
  /** Stands in for missing providers. */
  sandbox?: Partial<SandboxOptions>
}

/** Also creates the providers. Throws ConfigError with every problem. */
export async function loadConfig(from: ConfigSources): Promise<Config> {
  return createFrom(await examineSources(from))
}

/** As `loadConfig`, from settings. */
export function createConfig(
  settings: GatewayConfig,
  { cwd, dialects = builtIn }: Pick<ConfigSources, 'cwd' | 'dialects'>,
): Config {
  const sources = literalSources({ ...settings })
  return createFrom(examine({ sources, env: {}, cwd, dialects, sandbox: {} }, []))
}

/** As `loadConfig`, without creating providers. */
export async function readSettings(
  from: ConfigSources,
): Promise<{ settings: GatewayConfig; warnings: readonly string[] }> {
  const { settings, plans, warnings, redact } = assertValid(await examineSources(from))
  const providers = plans.map(({ name, dialect, options }) => ({ ...options, name, dialect }))
  // Validated by the dialects.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return { settings: { ...settings, providers } as GatewayConfig, warnings: warnings.map(redact) }
}

/** Without `settings` if invalid. */
type Examination = ReturnType<typeof examine>

async function examineSources(from: ConfigSources): Promise<Examination> {
  const { cwd, flags = {}, dialects = builtIn, sandbox = {} } = from
  const env = withoutEmpty(from.env)
  const problems: string[] = []
  const file = await readConfigFile({ env, cwd }, problems)
  const sources = mergeSources({ flags, env, file }, problems)
  return examine({ sources, env, cwd, dialects, sandbox }, problems)
}

function examine(
  from: Required<Pick<ConfigSources, 'env' | 'cwd' | 'dialects' | 'sandbox'>> & { sources: Sources },
  problems: string[],
) {
  const { sources, env, cwd, dialects } = from
  const settings = check(CONFIG_SHAPE, sources.values, { ...sources, problems })
  // Libraries then show internals to clients.
  if (env['NODE_ENV'] === 'development' && settings && !isLocalOnly(settings))
    problems.push(
      'NODE_ENV is "development"; unset it or set it to "production" on a server that other machines can reach.',
    )
  if (settings?.persistedQueries === 'allow-list' && settings.persistedQueriesFile === null)
    problems.push(
      'persistedQueries is "allow-list"; set persistedQueriesFile to the file with the operations.',
    )
  return {
    settings: settings && withPaths(settings, cwd),
    plans: planProviders(from, problems),
    problems,
    warnings: ignoredVariables(env, dialects, sources.inserted),
    redact: createRedactor(env, sources),
  }
}

function withPaths(settings: ConfigSettings, cwd: string): ConfigSettings {
  const { dataDir, persistedQueriesFile: file } = settings
  const persistedQueriesFile = file === null ? null : resolve(cwd, file)
  return { ...settings, dataDir: resolve(cwd, dataDir), persistedQueriesFile }
}

function assertValid({ settings, ...rest }: Examination): Examination & { settings: ConfigSettings } {
  if (settings === undefined || rest.problems.length > 0)
    throw new ConfigError(rest.problems.map(rest.redact))
  return { settings, ...rest }
}

function createFrom(examination: Examination): Config {
  const { problems, plans, redact } = examination
  const providers = problems.length === 0 ? createAll(plans, problems) : []
  const { settings, warnings } = assertValid(examination)
  const all = [...warnings, ...findWarnings({ ...settings, providers })]
  const { introspection } = settings
  return Object.freeze({
    ...settings,
    introspection: introspection === 'auto' ? isLocalOnly(settings) : introspection === 'on',
    operatorIntrospection: introspection !== 'off',
    providers: Object.freeze(providers),
    redact,
    warnings: Object.freeze(all.map(redact)),
  })
}

/** On a failure, closes those created: they hold sockets. */
function createAll(plans: readonly ProviderPlan[], problems: string[]): Provider[] {
  const created: Provider[] = []
  for (const plan of plans) {
    try {
      created.push(plan.create())
    } catch (error) {
      problems.push(`provider ${plan.name}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  if (problems.length > 0) for (const provider of created) void provider.close()
  return created
}

/** With a public URL, a loopback address is behind a proxy. */
function isLocalOnly({ host, publicUrl }: ConfigSettings): boolean {
  return isLoopback(host) && (publicUrl === null || isLoopback(new URL(publicUrl).hostname))
}
