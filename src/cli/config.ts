import type { Config } from '../config/config.ts'
import type { Flags } from '../config/sources.ts'
import type { CommandContext } from './command.ts'

/** The caller closes the providers. Throws ConfigError. */
export async function loadConfig(
  { env, cwd }: CommandContext,
  options: { flags?: Flags; sandbox?: { durationMs: number } } = {},
): Promise<Config> {
  const config = await import('../config/config.ts')
  return config.loadConfig({ env, cwd, ...options })
}

/** For commands without provider calls. Throws ConfigError. */
export async function readConfig(context: CommandContext): Promise<Config> {
  const config = await loadConfig(context)
  await closeProviders(config)
  return config
}

export async function closeProviders({ providers }: Config): Promise<void> {
  await Promise.all(providers.map((provider) => provider.close()))
}
