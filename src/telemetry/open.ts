import type { Environment } from '../config/environment.ts'
import { noTracing, type Tracing } from '../tracing.ts'
import { readTraceSettings } from './settings.ts'

/** Loads OpenTelemetry only if the environment enables it. Calls `warn` for invalid settings and failed exports. */
export async function openTracing(env: Environment, warn: (sentence: string) => void): Promise<Tracing> {
  const settings = readTraceSettings(env, warn)
  if (!settings) return noTracing
  const { recordTraces } = await import('./record.ts')
  return recordTraces(settings, warn)
}
