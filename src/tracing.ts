// Tracing without OpenTelemetry, which src/telemetry loads only if it is enabled. Each task has one trace across processes.

/** Span attributes; null and undefined values are omitted. Must not contain prompts or credentials. */
export type Attributes = Record<string, string | number | boolean | null | undefined>

export interface Span {
  set(attributes: Attributes): void
}

export interface SpanOptions {
  /** INTERNAL by default. */
  kind?: 'SERVER' | 'CLIENT' | 'INTERNAL' | 'PRODUCER' | 'CONSUMER'
  /** W3C traceparent of the parent; null starts a trace. The current span by default. */
  parent?: string | null
  attributes?: Attributes
}

export interface Tracing {
  /** Whether spans are recorded. */
  readonly isEnabled: boolean
  /** Whether requests to providers carry the traceparent. */
  readonly propagates: boolean
  /** Runs `work` in a span. An error marks the span as failed, with its name or code, and is rethrown. */
  span<T>(name: string, options: SpanOptions, work: (span: Span) => Promise<T>): Promise<T>
  /** The W3C traceparent of the current span; null without a recorded one. */
  traceparent(): string | null
  /** `trace_id` and `span_id` of the current span; empty without one. */
  logFields(): Record<string, string>
  /** Sends the recorded spans and stops recording. */
  close(): Promise<void>
}

export const noTracing: Tracing = {
  isEnabled: false,
  propagates: false,
  span: (_name, _options, work) => work({ set() {} }),
  traceparent: () => null,
  logFields: () => ({}),
  close: () => Promise.resolve(),
}
