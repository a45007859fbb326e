// What the environment variables that every OpenTelemetry SDK knows ask for.
import type { Environment } from '../config/environment.ts'

/** What the variables ask for. */
export interface TraceSettings {
  /** Where OTLP over HTTP is posted to. */
  url: string
  serviceName: string
  /** As OTEL_TRACES_SAMPLER and its ARG say. */
  sampler: string
  samplerRatio: number
  /** How long spans are gathered before they are sent. */
  delayMs: number
}

/** Undefined when traces are off. */
export function readTraceSettings(
  env: Environment,
  tell: (sentence: string) => void,
): TraceSettings | undefined {
  const value = (name: string) => env[name]?.trim() || undefined
  if (value('OTEL_SDK_DISABLED')?.toLowerCase() === 'true') return undefined
  const exporters = (value('OTEL_TRACES_EXPORTER') ?? '').split(',').filter(Boolean)
  if (exporters.includes('none')) return undefined
  const foreign = exporters.find((name) => name !== 'otlp')
  if (foreign !== undefined) {
    tell(
      `OTEL_TRACES_EXPORTER is ${JSON.stringify(foreign)}; only otlp and none are known. No traces are sent.`,
    )
    return undefined
  }
  const own = value('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT')
  const shared = value('OTEL_EXPORTER_OTLP_ENDPOINT')
  if (own === undefined && shared === undefined && exporters.length === 0) return undefined
  const protocol = value('OTEL_EXPORTER_OTLP_TRACES_PROTOCOL') ?? value('OTEL_EXPORTER_OTLP_PROTOCOL')
  if (protocol === 'grpc')
    tell('OTEL_EXPORTER_OTLP_PROTOCOL is grpc; traces are sent as JSON over HTTP, usually to port 4318.')
  const url = own ?? `${(shared ?? 'http://localhost:4318').replace(/\/+$/, '')}/v1/traces`
  if (!/^https?:$/.test(URL.parse(url)?.protocol ?? '')) {
    tell('OTEL_EXPORTER_OTLP_ENDPOINT is no http or https URL. No traces are sent.')
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

function numberOr(other: number, text: string | undefined): number {
  const number = Number(text)
  return text === undefined || !Number.isFinite(number) || number < 0 ? other : number
}
