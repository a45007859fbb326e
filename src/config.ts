// Configuration: flags over environment over file over defaults, one frozen result or every problem at once.
import { resolve } from 'node:path'
import type { z } from 'zod'
import {
  ignoredVariables,
  unsupportedVariables,
  withoutEmpty,
  type Dialects,
  type Environment,
} from './config/environment.ts'
import { ConfigError } from './config/error.ts'
import { readConfigFile } from './config/file.ts'
import { check } from './config/problems.ts'
import { planProviders, type ProviderPlan } from './config/providers.ts'
import { secretsRemover } from './config/secrets.ts'
import { CONFIG_SHAPE, type EngineTuning } from './config/shape.ts'
import { layer, type Flags } from './config/sources.ts'
import { dialects as builtIn } from './providers/index.ts'
import type { Provider } from './providers/provider.ts'

/** Everything the gateway is told from outside. Frozen. */
export interface Config {
  /** 0 picks a free one. */
  readonly port: number
  /** A loopback address, as long as there are no API keys. */
  readonly host: string
  /** Where clients reach the server, without a slash at the end; null when that is where it listens. */
  readonly publicUrl: string | null
  /** Absolute. SQLite's file and the assets live below it. */
  readonly dataDir: string
  /** A postgres:// URL; null for SQLite in `dataDir`. */
  readonly databaseUrl: string | null
  readonly logLevel: string
  /** Origins whose pages may call the server from a browser; empty for none but its own. */
  readonly corsOrigins: readonly string[]
  /** At least one. Whoever has the configuration closes them. */
  readonly providers: readonly Provider[]
  readonly engine: EngineTuning
  /** Sentences about what was set without effect. */
  readonly warnings: readonly string[]
}

export interface ConfigSources {
  env: Environment
  /** Where the file is looked for, and what a relative DATA_DIR is relative to. */
  cwd: string
  /** Values from the command line; they win over the environment. */
  flags?: Flags
  /** What the `dialect` of a provider may be; the built-in ones by default. */
  dialects?: Dialects
}

/** Reads and checks the configuration, and creates its providers. Throws ConfigError with every problem found. */
export async function loadConfig({
  cwd,
  flags = {},
  dialects = builtIn,
  ...given
}: ConfigSources): Promise<Config> {
  const env = withoutEmpty(given.env)
  const problems = unsupportedVariables(env)
  const file = await readConfigFile({ env, cwd }, problems)
  const sources = layer({ flags, env, file }, problems)
  const settings = check(CONFIG_SHAPE, sources.values, { ...sources, problems })
  const plans = planProviders({ sources, env, dialects }, problems)
  const redact = secretsRemover(env, sources)
  const providers = problems.length === 0 ? await createAll(plans, problems) : []
  if (settings === undefined || problems.length > 0) throw new ConfigError(problems.map(redact))
  return freeze(settings, {
    dataDir: resolve(cwd, settings.dataDir),
    providers,
    warnings: ignoredVariables(env, dialects, sources.inserted).map(redact),
  })
}

/** Creates all or none: a provider that was created holds sockets. */
async function createAll(plans: readonly ProviderPlan[], problems: string[]): Promise<Provider[]> {
  const created: Provider[] = []
  for (const plan of plans) {
    try {
      created.push(plan.create())
    } catch (error) {
      problems.push(`provider ${plan.name}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  if (problems.length > 0) await Promise.all(created.map((provider) => provider.close()))
  return created
}

function freeze(
  settings: z.output<typeof CONFIG_SHAPE>,
  rest: Pick<Config, 'dataDir' | 'providers' | 'warnings'>,
): Config {
  return Object.freeze({
    ...settings,
    dataDir: rest.dataDir,
    corsOrigins: Object.freeze(settings.corsOrigins),
    engine: Object.freeze(settings.engine),
    providers: Object.freeze(rest.providers),
    warnings: Object.freeze(rest.warnings),
  })
}
