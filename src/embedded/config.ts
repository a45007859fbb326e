import process from 'node:process'
import { readSettings } from '../config/config.ts'
import type { GatewayConfig } from '../config/input.ts'

export interface LoadConfigOptions {
  /** Folder of the configuration file; base of a relative `dataDir`. Default: the working directory. */
  cwd?: string | undefined
  /** Default `process.env`. */
  env?: Readonly<Record<string, string | undefined>> | undefined
  /** For each setting without effect. Default `process.emitWarning`. */
  onWarning?: ((sentence: string) => void) | undefined
}

/**
 * As `darkroom serve`: environment, then the file that DARKROOM_CONFIG names, else
 * `darkroom.config.{ts,js,json}`. Rejects with ConfigError with every problem.
 */
export async function loadConfig({
  cwd = process.cwd(),
  env = process.env,
  onWarning = (sentence) => process.emitWarning(sentence),
}: LoadConfigOptions = {}): Promise<GatewayConfig> {
  const { settings, warnings } = await readSettings({ cwd, env })
  for (const warning of warnings) onWarning(warning)
  return settings
}
