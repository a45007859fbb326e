// Whether traces are recorded at all.
import type { Environment } from '../config/environment.ts'
import { untraced, type Tracing } from '../tracing.ts'
import { readTraceSettings } from './settings.ts'

/**
 * Opens what records traces, or `untraced` when nothing asks for it: then no OpenTelemetry code is loaded. `tell` hears a
 * sentence when what is set cannot work, and when traces cannot be delivered.
 */
export async function openTracing(env: Environment, tell: (sentence: string) => void): Promise<Tracing> {
  const settings = readTraceSettings(env, tell)
  if (!settings) return untraced
  const { recordTraces } = await import('./record.ts')
  return recordTraces(settings, tell)
}
