import process from 'node:process'
import { readSettings } from '../config/config.ts'
import type { GatewayConfig } from '../config/input.ts'

/** Where `loadConfig` reads from. */
export interface LoadConfigOptions {
  /** Folder of the configuration file; a relative `dataDir` is relative to it. Default: the working directory. */
  cwd?: string | undefined
  /** Environment variables. Default: those of the process. */
  env?: Readonly<Record<string, string | undefined>> | undefined
  /** Receives a sentence about each setting that has no effect. Default: `process.emitWarning`. */
  onWarning?: ((sentence: string) => void) | undefined
}

/**
 * Reads the configuration as `darkroom serve` does: environment variables over `darkroom.config.{ts,js,json}` or the
 * file that DARKROOM_CONFIG names. Rejects with ConfigError with every problem found.
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
