// Configuration: flags over environment over file over defaults, one frozen result or every problem at once.
import { resolve } from 'node:path'
import type { z } from 'zod'
import {
  ignoredVariables,
  unsupportedVariables,
  withoutEmpty,
  type Dialects,
  type Environment,
} from './environment.ts'
import { doubtsAbout } from './warnings.ts'
import { ConfigError } from './error.ts'
import { readConfigFile } from './file.ts'
import { isLoopback } from './host.ts'
import { check } from './problems.ts'
import { planProviders, type ProviderPlan } from './providers.ts'
import { secretsRemover } from './secrets.ts'
import { CONFIG_SHAPE, type EngineTuning, type RetentionTimes } from './shape.ts'
import type { GatewayConfig } from './input.ts'
import { layer, literal, type Flags, type Sources } from './sources.ts'
import type { Limits } from '../domain.ts'
import { dialects as builtIn } from '../providers/index.ts'
import type { Provider } from '../providers/provider.ts'

/** Everything the gateway is told from outside. Frozen. */
export interface Config {
  /** 0 picks a free one. */
  readonly port: number
  /** A loopback address, or one for which keys are needed. */
  readonly host: string
  /** Where clients reach the server, without a slash at the end; null when that is where it listens. */
  readonly publicUrl: string | null
  /** The operator's, at least 32 characters: all rights on all projects; null for none. A secret. */
  readonly adminKey: string | null
  /** Absolute. SQLite's file and the assets live below it. */
  readonly dataDir: string
  /** A postgres:// URL; null for SQLite in `dataDir`. */
  readonly databaseUrl: string | null
  readonly logLevel: string
  /** Origins whose pages may call the server from a browser; empty for none but its own. */
  readonly corsOrigins: readonly string[]
  /** CIDR ranges of the proxies whose X-Forwarded-… headers are believed; empty for none. */
  readonly trustedProxies: readonly string[]
  /** Whether clients may ask for the schema. */
  readonly introspection: boolean
  /** Whether /metrics answers. */
  readonly metrics: boolean
  /** Whether calls to upstreams carry the traceparent of their task. */
  readonly traceUpstreams: boolean
  /** At least one. Whoever has the configuration closes them. */
  readonly providers: readonly Provider[]
  readonly engine: EngineTuning
  readonly retention: RetentionTimes
  /** What each project may ask for at a time that has no limits of its own. */
  readonly limits: Readonly<Limits>
  /** Takes every secret of this configuration out of a text. */
  readonly hide: (text: string) => string
  /** Sentences about what was set without effect. */
  readonly warnings: readonly string[]
}

interface ConfigSources {
  env: Environment
  /** Where the file is looked for, and what a relative DATA_DIR is relative to. */
  cwd: string
  /** Values from the command line; they win over the environment. */
  flags?: Flags
  /** What the `dialect` of a provider may be; the built-in ones by default. */
  dialects?: Dialects
}

/** Reads and checks the configuration, and creates its providers. Throws ConfigError with every problem found. */
export async function loadConfig(from: ConfigSources): Promise<Config> {
  return create(await read(from))
}

/**
 * Checks settings that a program gives, and creates their providers. Neither the environment nor a file is read.
 * Throws ConfigError with every problem found.
 */
export function createConfig(
  settings: GatewayConfig,
  { cwd, dialects = builtIn }: Pick<ConfigSources, 'cwd' | 'dialects'>,
): Config {
  return create(examine({ sources: literal({ ...settings }), env: {}, cwd, dialects }, []))
}

/**
 * Reads and checks the configuration without creating anything: the settings as a program would write them. Throws
 * ConfigError with every problem found.
 */
export async function readSettings(
  from: ConfigSources,
): Promise<{ settings: GatewayConfig; warnings: readonly string[] }> {
  const { settings, plans, warnings, redact } = valid(await read(from))
  const providers = plans.map(({ name, dialect, options }) => ({ ...options, name, dialect }))
  // What each provider's entry holds was checked by its dialect.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return { settings: { ...settings, providers } as GatewayConfig, warnings: warnings.map(redact) }
}

/** What came of examining the sources. */
interface Examined {
  /** Undefined when something is wrong with them; `problems` then says what. */
  settings: z.output<typeof CONFIG_SHAPE> | undefined
  plans: readonly ProviderPlan[]
  problems: string[]
  warnings: readonly string[]
  redact: (text: string) => string
}

async function read({ cwd, flags = {}, dialects = builtIn, ...given }: ConfigSources): Promise<Examined> {
  const env = withoutEmpty(given.env)
  const problems = unsupportedVariables(env)
  const file = await readConfigFile({ env, cwd }, problems)
  return examine({ sources: layer({ flags, env, file }, problems), env, cwd, dialects }, problems)
}

function examine(
  { sources, env, cwd, dialects }: { sources: Sources; env: Environment; cwd: string; dialects: Dialects },
  problems: string[],
): Examined {
  const settings = check(CONFIG_SHAPE, sources.values, { ...sources, problems })
  problems.push(...developmentProblems(env, settings))
  const plans = planProviders({ sources, env, dialects }, problems)
  return {
    settings: settings && { ...settings, dataDir: resolve(cwd, settings.dataDir) },
    plans,
    problems,
    warnings: ignoredVariables(env, dialects, sources.inserted),
    redact: secretsRemover(env, sources),
  }
}

function valid({ settings, ...rest }: Examined): Examined & { settings: z.output<typeof CONFIG_SHAPE> } {
  if (settings === undefined || rest.problems.length > 0)
    throw new ConfigError(rest.problems.map(rest.redact))
  return { settings, ...rest }
}

function create(examined: Examined): Config {
  const { problems, plans, redact } = examined
  const providers = problems.length === 0 ? createAll(plans, problems) : []
  const { settings, warnings } = valid(examined)
  return freeze(settings, {
    providers,
    hide: redact,
    warnings: [...warnings, ...doubtsAbout({ ...settings, providers })].map(redact),
  })
}

/** Creates all or none: a provider that was created holds sockets. */
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

function freeze(
  settings: z.output<typeof CONFIG_SHAPE>,
  rest: Pick<Config, 'providers' | 'hide' | 'warnings'>,
): Config {
  return Object.freeze({
    ...settings,
    corsOrigins: Object.freeze(settings.corsOrigins),
    trustedProxies: Object.freeze(settings.trustedProxies),
    introspection: showsSchema(settings),
    engine: Object.freeze(settings.engine),
    retention: Object.freeze(settings.retention),
    limits: Object.freeze(settings.limits),
    providers: Object.freeze(rest.providers),
    hide: rest.hide,
    warnings: Object.freeze(rest.warnings),
  })
}

/** Some libraries tell clients and consoles more than they should know while they are developed with. */
function developmentProblems(
  env: Environment,
  settings: z.output<typeof CONFIG_SHAPE> | undefined,
): string[] {
  if (env['NODE_ENV'] !== 'development' || settings === undefined || servesThisMachine(settings)) return []
  return ['NODE_ENV is "development": it must be unset or "production" on a server that others can reach.']
}

/** On the developer's own machine the schema is what GraphiQL lives on; elsewhere it is said out loud or not at all. */
function showsSchema(settings: z.output<typeof CONFIG_SHAPE>): boolean {
  const { introspection } = settings
  return introspection === 'auto' ? servesThisMachine(settings) : introspection === 'on'
}

/** A server on a loopback address may still stand behind a proxy: then it has a public address. */
function servesThisMachine({ host, publicUrl }: z.output<typeof CONFIG_SHAPE>): boolean {
  return isLoopback(host) && (publicUrl === null || isLoopback(new URL(publicUrl).hostname))
}
