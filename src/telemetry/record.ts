// Exports OTLP over HTTP. The only file that imports OpenTelemetry's SDK.
import { AsyncLocalStorage } from 'node:async_hooks'
import {
  diag,
  DiagLogLevel,
  isSpanContextValid,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  type Attributes as OtelAttributes,
  type Context,
  type SpanContext,
} from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import {
  defaultResource,
  detectResources,
  envDetector,
  resourceFromAttributes,
} from '@opentelemetry/resources'
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
  type Sampler,
} from '@opentelemetry/sdk-trace'
import type { Attributes, Tracing } from '../tracing.ts'

export interface TraceSettings {
  url: string
  serviceName: string
  sampler: string
  samplerRatio: number
  delayMs: number
}

export function recordTraces(settings: TraceSettings, warn: (sentence: string) => void): Tracing {
  warnOfFailures(settings.url, warn)
  const provider = new TracerProvider({
    // OTEL_RESOURCE_ATTRIBUTES takes precedence.
    resource: defaultResource()
      .merge(detectResources({ detectors: [envDetector] }))
      .merge(resourceFromAttributes({ 'service.name': settings.serviceName })),
    sampler: samplerOf(settings),
    spanProcessors: [
      new BatchSpanProcessor({
        exporter: new OTLPTraceExporter({ url: settings.url }),
        scheduledDelayMillis: settings.delayMs,
      }),
    ],
  })
  const tracer = provider.getTracer('darkroom')
  const contexts = new AsyncLocalStorage<Context>()
  const currentContext = () => contexts.getStore() ?? ROOT_CONTEXT
  const currentSpan = () => trace.getSpanContext(currentContext())

  return {
    isEnabled: true,
    propagates: false,
    async span(name, { kind = 'INTERNAL', parent, attributes = {} }, work) {
      const context = parent === undefined ? currentContext() : contextOf(parent)
      const options = { kind: SpanKind[kind], attributes: defined(attributes) }
      const span = tracer.startSpan(name, options, context)
      let hasErrorType = false
      const set = (more: Attributes) => {
        hasErrorType ||= 'error.type' in more
        span.setAttributes(defined(more))
      }
      try {
        return await contexts.run(trace.setSpan(context, span), () => work({ set }))
      } catch (error) {
        // Without message and stack, which may contain client input.
        if (!hasErrorType) span.setAttribute('error.type', nameOf(error))
        span.setStatus({ code: SpanStatusCode.ERROR })
        throw error
      } finally {
        span.end()
      }
    },
    traceparent() {
      const span = currentSpan()
      return span && isSpanContextValid(span) ? toTraceparent(span) : null
    },
    logFields() {
      const span = currentSpan()
      return span ? { trace_id: span.traceId, span_id: span.spanId } : {}
    },
    close: () => provider.shutdown(),
  }
}

const TRACEPARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-|$)/

/** A new trace for null or an invalid traceparent. */
function contextOf(traceparent: string | null): Context {
  const [, traceId = '', spanId = '', flags = '0'] = TRACEPARENT.exec(traceparent ?? '') ?? []
  const span: SpanContext = { traceId, spanId, traceFlags: parseInt(flags, 16) & 1, isRemote: true }
  return isSpanContextValid(span) ? trace.setSpanContext(ROOT_CONTEXT, span) : ROOT_CONTEXT
}

function toTraceparent({ traceId, spanId, traceFlags }: SpanContext): string {
  return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`
}

function defined(attributes: Attributes): OtelAttributes {
  return Object.fromEntries(
    Object.entries(attributes).flatMap(([name, value]) => (value == null ? [] : [[name, value]])),
  )
}

function nameOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown'
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name
}

function samplerOf({ sampler, samplerRatio: ratio }: TraceSettings): Sampler {
  const root = sampler.includes('traceidratio')
    ? new TraceIdRatioBasedSampler(ratio)
    : sampler.endsWith('always_off')
      ? new AlwaysOffSampler()
      : new AlwaysOnSampler()
  return sampler.startsWith('parentbased_') ? new ParentBasedSampler({ root }) : root
}

const ignore = () => {}

/** Once, because every failed batch reports an error. */
function warnOfFailures(url: string, warn: (sentence: string) => void): void {
  let hasWarned = false
  const error = () => {
    if (!hasWarned)
      warn(`Failed to send traces to ${new URL(url).origin}; they are dropped until it is reachable.`)
    hasWarned = true
  }
  diag.setLogger(
    { error, warn: ignore, info: ignore, debug: ignore, verbose: ignore },
    { logLevel: DiagLogLevel.ERROR, suppressOverrideMessage: true },
  )
}
