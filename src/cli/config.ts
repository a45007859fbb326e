import type { Config } from '../config/config.ts'
import type { Surroundings } from './command.ts'

/** The configuration, for a command that calls no provider. Throws ConfigError. */
export async function readConfig({ env, cwd }: Pick<Surroundings, 'env' | 'cwd'>): Promise<Config> {
  // Imported late, so that help and mistakes are answered without loading the server.
  const { loadConfig } = await import('../config/config.ts')
  const config = await loadConfig({ env, cwd })
  await closeProviders(config)
  return config
}

/** Ends the idle connections of every provider. */
export async function closeProviders({ providers }: Config): Promise<void> {
  await Promise.all(providers.map((provider) => provider.close()))
}
