import type { Environment } from '../config/environment.ts'
import { noTracing, type Tracing } from '../tracing.ts'
import type { TraceSettings } from './record.ts'

/** Only if the environment enables it. Calls `warn` for invalid settings and failed exports. */
export async function openTracing(env: Environment, warn: (sentence: string) => void): Promise<Tracing> {
  const settings = readTraceSettings(env, warn)
  if (!settings) return noTracing
  const { recordTraces } = await import('./record.ts')
  return recordTraces(settings, warn)
}

/** Standard OpenTelemetry variables; undefined if disabled. */
export function readTraceSettings(
  env: Environment,
  warn: (sentence: string) => void,
): TraceSettings | undefined {
  const value = (name: string) => env[name]?.trim() || undefined
  if (value('OTEL_SDK_DISABLED')?.toLowerCase() === 'true') return undefined
  const exporters = (value('OTEL_TRACES_EXPORTER') ?? '').split(',').filter(Boolean)
  if (exporters.includes('none')) return undefined
  const unsupported = exporters.find((name) => name !== 'otlp')
  if (unsupported !== undefined) {
    warn(`OTEL_TRACES_EXPORTER is ${JSON.stringify(unsupported)}; use otlp or none. Tracing is disabled.`)
    return undefined
  }
  const own = value('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT')
  const shared = value('OTEL_EXPORTER_OTLP_ENDPOINT')
  if (own === undefined && shared === undefined && exporters.length === 0) return undefined
  const protocol = value('OTEL_EXPORTER_OTLP_TRACES_PROTOCOL') ?? value('OTEL_EXPORTER_OTLP_PROTOCOL')
  if (protocol === 'grpc')
    warn('OTEL_EXPORTER_OTLP_PROTOCOL is grpc; Darkroom sends JSON over HTTP, usually to port 4318.')
  const url = own ?? `${(shared ?? 'http://localhost:4318').replace(/\/+$/, '')}/v1/traces`
  if (!/^https?:$/.test(URL.parse(url)?.protocol ?? '')) {
    warn('OTEL_EXPORTER_OTLP_ENDPOINT must be an http or https URL. Tracing is disabled.')
    return undefined
  }
  return {
    url,
    serviceName: value('OTEL_SERVICE_NAME') ?? 'darkroom',
    sampler: value('OTEL_TRACES_SAMPLER') ?? 'parentbased_always_on',
    samplerRatio: numberOr(1, value('OTEL_TRACES_SAMPLER_ARG')),
    delayMs: numberOr(5000, value('OTEL_BSP_SCHEDULE_DELAY')),
  }
}

function numberOr(fallback: number, text: string | undefined): number {
  const number = Number(text)
  return text === undefined || !Number.isFinite(number) || number < 0 ? fallback : number
}
