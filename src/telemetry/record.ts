// Traces by OpenTelemetry, sent as OTLP over HTTP. The only file that knows its SDK; loaded when traces are switched on.
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
import type { TraceSettings } from './settings.ts'

export function recordTraces(settings: TraceSettings, tell: (sentence: string) => void): Tracing {
  hearOfFailures(settings.url, tell)
  const provider = new TracerProvider({
    // What the environment says of the service wins over what we say.
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
  const around = new AsyncLocalStorage<Context>()
  const current = () => trace.getSpanContext(around.getStore() ?? ROOT_CONTEXT)

  return {
    on: true,
    upstreams: false,
    async span(name, { kind = 'INTERNAL', parent, attributes = {} }, work) {
      const context = parent === undefined ? (around.getStore() ?? ROOT_CONTEXT) : contextOf(parent)
      const options = { kind: SpanKind[kind], attributes: known(attributes) }
      const span = tracer.startSpan(name, options, context)
      let named = false
      const set = (more: Attributes) => {
        named ||= 'error.type' in more
        span.setAttributes(known(more))
      }
      try {
        return await around.run(trace.setSpan(context, span), () => work({ set }))
      } catch (error) {
        // Neither its message nor its stack: they may hold what a client wrote.
        if (!named) span.setAttribute('error.type', nameOf(error))
        span.setStatus({ code: SpanStatusCode.ERROR })
        throw error
      } finally {
        span.end()
      }
    },
    here() {
      const span = current()
      return span && isSpanContextValid(span) ? toTraceparent(span) : null
    },
    ids() {
      const span = current()
      return span ? { trace_id: span.traceId, span_id: span.spanId } : {}
    },
    close: () => provider.shutdown(),
  }
}

const TRACEPARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-|$)/

/** A new trace for null, and for what is no traceparent: clients may send anything. */
function contextOf(traceparent: string | null): Context {
  const [, traceId = '', spanId = '', flags = '0'] = TRACEPARENT.exec(traceparent ?? '') ?? []
  const span: SpanContext = { traceId, spanId, traceFlags: parseInt(flags, 16) & 1, isRemote: true }
  return isSpanContextValid(span) ? trace.setSpanContext(ROOT_CONTEXT, span) : ROOT_CONTEXT
}

function toTraceparent({ traceId, spanId, traceFlags }: SpanContext): string {
  return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`
}

function known(attributes: Attributes): OtelAttributes {
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

const quiet = () => {}

/** A collector that is away is told of once, since every batch would say it again. */
function hearOfFailures(url: string, tell: (sentence: string) => void): void {
  let told = false
  const once = () => {
    if (!told) tell(`Traces cannot be delivered to ${new URL(url).origin}; they are dropped until they can.`)
    told = true
  }
  diag.setLogger(
    { error: once, warn: quiet, info: quiet, debug: quiet, verbose: quiet },
    { logLevel: DiagLogLevel.ERROR, suppressOverrideMessage: true },
  )
}
